"""Cuts out photos with rembg, its session kept between them.

usage: peer.py MODEL [matting]

A frame is a length of four bytes, big end first, and as many bytes. Each frame
on standard input is a photo; each answer on standard output is two frames: JSON
with the milliseconds it took or the error, and the PNG.
"""
import json
import os
import struct
import sys
import time

answers = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)  # standard output is for answers; libraries print to standard error

from rembg import new_session, remove  # noqa: E402

# The session takes a model below U2NET_HOME only.
session = new_session("dis_custom", model_path=sys.argv[1])
matting = sys.argv[2:] == ["matting"]


def take(length):
    data = sys.stdin.buffer.read(length)
    if len(data) < length:
        sys.exit(0)  # the host has closed its end
    return data


def frame(data):
    answers.write(struct.pack(">I", len(data)) + data)


while True:
    photo = take(*struct.unpack(">I", take(4)))
    answer, png = {}, b""
    began = time.perf_counter()
    try:
        png = remove(photo, session=session, alpha_matting=matting)
        answer["milliseconds"] = (time.perf_counter() - began) * 1000
    except Exception as error:
        answer["error"] = str(error) or type(error).__name__
    frame(json.dumps(answer).encode())
    frame(png)
    answers.flush()
