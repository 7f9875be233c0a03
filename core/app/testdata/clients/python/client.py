"""Calls the server at SERVER with the Python packages removebg, remove-bg-api and rembgpy, as their users do."""

import base64
import os
import sys

import remove_bg_api
import rembgpy.bg
import removebg.removebg as client

client.API_ENDPOINT = os.environ["SERVER"] + "/v1.0/removebg"
photo, folder = sys.argv[1:]
remove = client.RemoveBg("anything", os.path.join(folder, "errors.log"))
remove.remove_background_from_img_file(photo, size="4k")
with open(photo, "rb") as file:
    remove.remove_background_from_base64_img(base64.b64encode(file.read()), new_file_name=os.path.join(folder, "text.png"), bg_color="green")
try:
    remove.remove_background_from_img_url("http://127.0.0.1/photo.jpg", new_file_name=os.path.join(folder, "none.png"))
except Exception as error:
    print(error)

# Its constructor reads the account, and each answer's X-Credits-Charged is subtracted.
remove_bg_api.API_URL = os.environ["SERVER"] + "/v1.0"
account = remove_bg_api.RemoveBg("anything")
account.remove_bg_file(photo, out_path=os.path.join(folder, "account.png"), raw=False, size="full")
print("credits", account.account.balance() > 0, account.account.free_api_calls() > 0)
for send, data in ((account.remove_bg_bytes, b"no photo"), (account.remove_bg_url, "http://127.0.0.1/photo.jpg")):
    try:
        send(data)
    except remove_bg_api.Errors.ApiErrorCode400 as error:
        print("refused", type(error).__name__)

# It sends every parameter.
rembgpy.bg.base_url = os.environ["SERVER"] + "/v1.0/removebg"
every = rembgpy.bg.RemBg("anything", os.path.join(folder, "errors.log"))
with open(photo, "rb") as file:
    every.remove_b64(base64.b64encode(file.read()), nfn=os.path.join(folder, "every.png"), bg="81d4fa77", bg_type="color")
