"""Calls the server at SERVER with the Python package removebg, as its users do."""

import base64
import os
import sys

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
