"""Serves every graph of this folder with KServe's Python server.

usage: python3 serve.py [KServe's own flags, such as --grpc_port]
"""
import asyncio
import pathlib

import kserve
import onnxruntime
from kserve import InferOutput, InferResponse
from kserve.errors import InvalidInput

TYPES = {"tensor(uint8)": "UINT8", "tensor(float)": "FP32", "tensor(float16)": "FP16"}


def describe(tensor):
    shape = [size if isinstance(size, int) else -1 for size in tensor.shape]
    return {"name": tensor.name, "datatype": TYPES[tensor.type], "shape": shape}


class ONNX(kserve.Model):
    def __init__(self, file):
        super().__init__(file.stem)
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(str(file), options, onnxruntime.get_available_providers())
        self.input, self.output = self.session.get_inputs()[0], self.session.get_outputs()[0]
        self.ready = True

    def get_input_types(self):
        return [describe(self.input)]

    def get_output_types(self):
        return [describe(self.output)]

    async def predict(self, request, headers=None, response_headers=None):
        tensor = request.inputs[0]
        if tensor.name != self.input.name or tensor.datatype != "UINT8":
            raise InvalidInput(f"the input is {self.input.name}, of UINT8")
        # Elsewhere, so that the server still answers that it is ready.
        (mask,) = await asyncio.get_running_loop().run_in_executor(
            None, self.session.run, [self.output.name], {tensor.name: tensor.as_numpy()})
        answer = InferOutput(self.output.name, list(mask.shape), TYPES[self.output.type])
        answer.set_data_from_numpy(mask, binary_data=True)
        return InferResponse(request.id, self.name, [answer])


if __name__ == "__main__":
    graphs = sorted(pathlib.Path(__file__).parent.glob("*.onnx"))
    kserve.ModelServer().start([ONNX(graph) for graph in graphs])
