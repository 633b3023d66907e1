"""InstanSeg's parameters with random numbers, and TorchScript archives as PyTorch writes them."""

import io
import pickle
import sys
import types
import zipfile

import numpy as np

__all__ = ["random_parameters", "torchscript_archive"]

_ADAPTOR, _UNET = "fcn.model.AdaptorNet.", "fcn.model."


def random_parameters(seed=0):
    """Return parameters of InstanSeg's names and shapes."""
    rng = np.random.default_rng(seed)
    found = {}

    def convolution(name, inputs, outputs, side):
        found[f"{name}.0.weight"] = rng.normal(0, (inputs * side**2) ** -0.5, (outputs, inputs, side, side))
        for kind in ("0.bias", "1.bias", "1.running_mean"):
            found[f"{name}.{kind}"] = rng.normal(0, 0.1, outputs)
        found[f"{name}.1.weight"] = rng.uniform(0.5, 1.5, outputs)
        found[f"{name}.1.running_var"] = rng.uniform(0.5, 1.5, outputs)

    def block(name, inputs, outputs, skipped=None, *, reduces=False):
        convolution(f"{name}.conv0", inputs, outputs, 1)
        convolution(f"{name}.conv1", inputs, outputs, 3)
        if skipped is not None:
            convolution(f"{name}.conv_skip", skipped, outputs, 1)
        for index in (2, 3, 4):
            convolution(f"{name}.conv{index}", outputs, outputs, 3)
        if reduces:
            convolution(f"{name}.reduce_block", 2 * outputs, outputs, 3)

    for name, inputs, outputs in (("conv_0", 1, 8), ("down_1", 8, 16), ("down_2", 16, 32)):
        block(f"{_ADAPTOR}{name}", inputs, outputs, reduces=True)
    block(f"{_ADAPTOR}upcat_2", 32, 16, 16, reduces=True)
    block(f"{_ADAPTOR}upcat_1", 16, 8, 8)
    convolution(f"{_ADAPTOR}final_conv", 8, 3, 1)
    for level, (inputs, outputs) in enumerate(((3, 32), (32, 64), (64, 128), (128, 256))):
        block(f"{_UNET}encoder.{level}", inputs, outputs)
    for decoder in (0, 1):
        for step, (inputs, outputs) in enumerate(((256, 128), (128, 64), (64, 32))):
            block(f"{_UNET}decoders.{decoder}.decoder.{step}", inputs, outputs, outputs)
        for part, outputs in enumerate((2, 2, 1)):
            convolution(f"{_UNET}decoders.{decoder}.final_block.{part}", 32, outputs, 1)
    for layer, (outputs, inputs) in enumerate(((5, 4), (5, 5), (1, 5)), 1):
        found[f"pixel_classifier.fc{layer}.weight"] = rng.normal(size=(outputs, inputs))
        found[f"pixel_classifier.fc{layer}.bias"] = rng.normal(size=outputs)
    return {name: values.astype(np.float32) for name, values in found.items()}


def torchscript_archive(parameters, *, extra=None):
    """Return the bytes of a TorchScript archive whose modules have these parameters.

    ``extra`` is put among the root's attributes.
    """
    storages = []
    modules = {name: types.ModuleType(name) for name in ("torch", "torch._utils", "__torch__")}
    saved = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        made = _classes(modules)
        root = _tree(parameters, made, storages)
        if extra is not None:
            root.__dict__["extra"] = extra
        stream = io.BytesIO()
        _Pickler(stream, made).dump(root)
    finally:
        for name, module in saved.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("net/data.pkl", stream.getvalue())
        archive.writestr("net/code/__torch__.py", "class Net(Module):\n  pass\n")
        for index, values in enumerate(storages):
            archive.writestr(f"net/data/{index}", values.tobytes())
    return content.getvalue()


class _Storage:
    def __init__(self, key, size):
        self.key, self.size = key, size


class _Tensor:
    def __init__(self, storage, shape, strides):
        self.arguments = (storage, 0, shape, strides, False, {})

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


class _Pickler(pickle.Pickler):
    def __init__(self, stream, made):
        super().__init__(stream, 2)
        self._kind = made["FloatStorage"]

    def persistent_id(self, found):
        if isinstance(found, _Storage):
            return ("storage", self._kind, found.key, "cpu", found.size)
        return None


def _classes(modules):
    def rebuild(*_):
        raise AssertionError("is only written")

    rebuild.__module__, rebuild.__qualname__, rebuild.__name__ = "torch._utils", *["_rebuild_tensor_v2"] * 2
    modules["torch._utils"]._rebuild_tensor_v2 = rebuild
    made = {}
    for module, name in (("torch", "FloatStorage"), ("__torch__", "Net")):
        made[name] = type(name, (), {"__module__": module})
        setattr(modules[module], name, made[name])
    return made


def _tree(parameters, made, storages):
    root = made["Net"]()
    for name, values in parameters.items():
        *path, last = name.split(".")
        module = root
        for step in path:
            module = module.__dict__.setdefault(step, made["Net"]())
        strides = tuple(stride // values.itemsize for stride in values.strides)
        module.__dict__[last] = _Tensor(_Storage(str(len(storages)), values.size), values.shape, strides)
        storages.append(values)
    return root
