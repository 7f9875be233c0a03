"""Runs one ONNX graph on MLServer, which has no runtime for ONNX of its own."""
import asyncio

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.errors import InferenceError
from mlserver.types import InferenceResponse, MetadataTensor, ResponseOutput
from mlserver.utils import get_model_uri

TYPES = {"tensor(uint8)": "UINT8", "tensor(float)": "FP32", "tensor(float16)": "FP16"}


def describe(tensor):
    shape = [size if isinstance(size, int) else -1 for size in tensor.shape]
    return MetadataTensor(name=tensor.name, datatype=TYPES[tensor.type], shape=shape)


class ONNX(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(
            await get_model_uri(self._settings), options, onnxruntime.get_available_providers())
        self.inputs = [describe(t) for t in self.session.get_inputs()]
        self.outputs = [describe(t) for t in self.session.get_outputs()]
        return True

    async def predict(self, payload):
        tensor = payload.inputs[0]
        if tensor.name != self.inputs[0].name or tensor.datatype != "UINT8":
            raise InferenceError(f"the input is {self.inputs[0].name}, of UINT8")
        try:
            # MLServer gives a list of numbers; bytes() of it is fast, numpy.array() is not.
            pixels = np.frombuffer(bytes(tensor.data), np.uint8).reshape(tensor.shape)
            (mask,) = await asyncio.get_running_loop().run_in_executor(
                None, self.session.run, [self.outputs[0].name], {tensor.name: pixels})
        except Exception as error:
            raise InferenceError(str(error)) from error
        return InferenceResponse(model_name=self.name, outputs=[ResponseOutput(
            name=self.outputs[0].name, datatype=self.outputs[0].datatype, shape=list(mask.shape),
            data=mask.ravel().tolist())])
