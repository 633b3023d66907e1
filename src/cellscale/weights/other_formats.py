"""Models of TensorFlow and PyTorch, which cellscale does not run: how to recognise and how to convert them."""

import shlex
from pathlib import PurePosixPath

from cellscale.errors import ModelError

__all__ = ["refuse_other_formats"]

_ARCHIVES = (".tar.gz", ".tgz", ".tar")
_KERAS = (".h5", ".hdf5", ".keras")
_PYTORCH = (".pt", ".pth", ".torchscript", ".safetensors")


def refuse_other_formats(location: str, *, is_folder: bool = False) -> None:
    """Refuse a model of TensorFlow or PyTorch, told by its name, with how it is converted.

    Parameters
    ----------
    location
        Path or URI of the model.
    is_folder
        The location is known to be a folder, which only a SavedModel can be.

    Raises
    ------
    ModelError
        It is an archive, a Keras file, a frozen graph or a SavedModel folder, or PyTorch's.
    """
    if location.lower().endswith(_PYTORCH):
        raise ModelError(
            f"{location} is a PyTorch model, and cellscale runs ONNX models. Of InstanSeg's instanseg.pt one is made "
            "by: cellscale models fetch instanseg --from FILE; then give --model instanseg. Export others with "
            "torch.onnx.export, as docs/networks.md shows"
        )
    steps = _conversion(PurePosixPath(location), is_folder)
    if steps:
        commands = "\n".join(f"  {step}" for step in ["pip install tf2onnx", *steps])
        raise ModelError(
            f"{location} is a TensorFlow model, and cellscale runs ONNX models. Convert it once, where TensorFlow is "
            f"installed:\n{commands}\nand give the .onnx file with --model_path. (For Mesmer itself no conversion is "
            "needed: cellscale models fetch mesmer)"
        )


def _conversion(path: PurePosixPath, is_folder: bool) -> list[str]:
    stem, suffix = _split(path.name)
    if is_folder:
        return [_convert("--saved-model", path.name, path.name)]
    if path.name == "saved_model.pb":
        return [_convert("--saved-model", path.parent.name, path.parent.name)]
    if suffix in _KERAS:
        return [_convert("--keras", path.name, stem)]
    if suffix == ".pb":
        outputs = ",".join(f"semantic_{head}:0" for head in range(4))
        return [_convert("--graphdef", path.name, stem) + f" --inputs input_0:0 --outputs {outputs}"]
    if suffix in _ARCHIVES:
        # DeepCell's archives hold one folder of this name; in another's it is the folder with saved_model.pb.
        return [f"tar -xf {shlex.quote(path.name)}", _convert("--saved-model", "MultiplexSegmentation", stem)]
    return []


def _split(name: str) -> tuple[str, str]:
    for suffix in (*_ARCHIVES, *_KERAS, ".pb"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)], suffix
    return name, ""


def _convert(option: str, source: str, stem: str) -> str:
    output = shlex.quote(f"{stem}.onnx")
    return f"python -m tf2onnx.convert {option} {shlex.quote(source)} --opset 15 --output {output}"
