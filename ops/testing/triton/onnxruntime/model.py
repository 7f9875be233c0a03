"""Stands in for Triton's backend "onnxruntime", which is in no package index: the same
models and configuration run on ONNX Runtime's Python package."""
import json
import os
import pathlib
import sys

# Triton's Python ignores PYTHONPATH.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "packages"))

import onnxruntime  # noqa: E402
import triton_python_backend_utils as triton  # noqa: E402


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        self.input, self.output = config["input"][0]["name"], config["output"][0]["name"]
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        file = os.path.join(args["model_repository"], args["model_version"], "model.onnx")
        self.session = onnxruntime.InferenceSession(file, options, ["CPUExecutionProvider"])

    def execute(self, requests):
        answers = []
        for request in requests:
            pixels = triton.get_input_tensor_by_name(request, self.input).as_numpy()
            (mask,) = self.session.run([self.output], {self.input: pixels})
            answers.append(triton.InferenceResponse([triton.Tensor(self.output, mask)]))
        return answers
