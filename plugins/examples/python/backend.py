#!/usr/bin/python3
"""A BGRemover backend in Python, without any model.

Whatever differs from the colour of the picture's border counts as the subject:
right for an object on a plain ground, wrong for most photos, and enough to show
all that a backend in another language must do. It needs Debian's packages
python3-grpcio and python3-protobuf, and backend_pb2.py, which

    protoc -I plugins/contract/proto --python_out=. backend.proto

makes. Its gRPC library does not support go-plugin's mutual TLS: configure it
with tls off. ops/checklists/add-a-backend.md says what each part is for.
"""
import os
import resource
import signal
import sys
import threading
import time
from concurrent import futures

import grpc

import backend_pb2 as pb

MAX_MESSAGE = 64 << 20  # bytes; gRPC's default of 4 MiB is too small for pixels
models = {}  # the sizes of each loaded model, by its name
running = set()  # the calls of Segment that have no answer yet
turn = threading.Lock()  # Python runs one at a time anyway; the lock lets us measure the wait
stopped = threading.Event()


def describe(request, context):
    return pb.Description(
        name="python-border", version="1", device="cpu", provider="arithmetic",
        runtime="Python " + sys.version.split()[0], max_batch=1, models=sorted(models),
        memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        running=len(running))


def load(request, context):
    model = request.model
    if not model.name or not model.variants:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a model has a name and files")
    models[model.name] = sorted({v.size for v in model.variants})
    return pb.LoadResponse(sizes=models[model.name])


def unload(request, context):
    models.pop(request.model, None)
    return pb.UnloadResponse()


def segment(request, context):
    width, height, rgb = request.width, request.height, request.rgb
    sizes = models.get(request.model)
    if sizes is None:
        context.abort(grpc.StatusCode.NOT_FOUND, f"no model {request.model!r} is loaded")
    if width != height or width not in sizes or len(rgb) != 3 * width * height:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT,
                      f"the model takes inputs of {sizes} pixels a side, not {width}x{height}")
    asked = time.perf_counter_ns()
    running.add(context)
    try:
        with turn:
            begun = time.perf_counter_ns()
            mask = distance_from_border(width, height, rgb, context)
    finally:
        running.discard(context)
    return pb.SegmentResponse(width=width, height=height, mask=mask, queued_nanoseconds=begun - asked,
                              inference_nanoseconds=time.perf_counter_ns() - begun)


def distance_from_border(width, height, rgb, context):
    """One byte a pixel: how far its colour is from the mean of the border."""
    row, total = 3 * width, 0
    for c in range(3):
        if not context.is_active():
            context.abort(grpc.StatusCode.CANCELLED, "the call was cancelled")
        border = rgb[c:row:3] + rgb[-row + c::3] + rgb[c::row] + rgb[row - 3 + c::row]
        mean = sum(border) // len(border)
        # At most 85 a channel, so that three of them fit a byte, and whole
        # planes can be added as if each were one big number.
        near = bytes(min(85, abs(v - mean)) for v in range(256))
        total += int.from_bytes(rgb[c::3].translate(near), "big")
    steeper = bytes(min(255, 3 * v) for v in range(256))
    return total.to_bytes(width * height, "big").translate(steeper)


def call(function, request):
    return grpc.unary_unary_rpc_method_handler(
        function, request_deserializer=request.FromString,
        response_serializer=lambda message: message.SerializeToString())


def raw(function):
    """A call whose messages are so small that they are written out by hand."""
    return grpc.unary_unary_rpc_method_handler(lambda request, context: function())


def shutdown():
    stopped.set()
    return b""  # plugin.Empty


SERVICES = {
    "bgremover.backend.v1.Backend": {
        "Describe": call(describe, pb.DescribeRequest), "Load": call(load, pb.LoadRequest),
        "Unload": call(unload, pb.UnloadRequest), "Segment": call(segment, pb.SegmentRequest)},
    # HealthCheckResponse with status = SERVING.
    "grpc.health.v1.Health": {"Check": raw(lambda: b"\x08\x01")},
    # How go-plugin asks a process to end; without it, it kills it.
    "plugin.GRPCController": {"Shutdown": raw(shutdown)},
}


def end_with_host():
    """The host holds the other end of a pipe; reading ends when it is gone."""
    pipe = os.environ.get("BGREMOVER_HOST_PIPE")
    if pipe:
        while os.read(int(pipe), 1):
            pass
    else:
        parent = os.getppid()
        while os.getppid() == parent:
            time.sleep(1)
    os._exit(0)


def main():
    if os.environ.get("BGREMOVER_BACKEND") != "pixels-in-mask-out":
        sys.exit("This is a BGRemover backend; the server starts it.")
    threading.Thread(target=end_with_host, daemon=True).start()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the host decides when to end
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=8),
        options=[("grpc.max_receive_message_length", MAX_MESSAGE),
                 ("grpc.max_send_message_length", MAX_MESSAGE)])
    for service, methods in SERVICES.items():
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, methods),))
    socket = os.path.join(os.environ.get("PLUGIN_UNIX_SOCKET_DIR", "/tmp"), f"python-{os.getpid()}.sock")
    server.add_insecure_port("unix:" + socket)
    server.start()
    # The handshake: go-plugin's version, the contract's, where, and how.
    print(f"1|1|unix|{socket}|grpc", flush=True)
    stopped.wait()
    server.stop(grace=1).wait()


if __name__ == "__main__":
    main()
