"""The package that the documentation makes, as pip would leave it."""

from tests.docs.blocks import blocks
from tests.docs.places import DOCS

__all__ = ["documented", "install", "model"]

ENTRY_POINTS = {
    "readers": "npy = {module}:read_npy",
    "networks": "centres = {module}:CENTRES\nours = {module}:OUR_SEEDS",
    "engines": "gentle = {module}:run_gently",
    "exporters": "csv = {module}:CSV",
}


def install(site, module, code):
    """Install a package of one module, as pip would leave it, with parts of all kinds."""
    site.mkdir(exist_ok=True)
    (site / f"{module}.py").write_text(code, encoding="utf-8")
    facts = site / f"{module}-1.5.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.5\n", encoding="utf-8")
    groups = [f"[cellscale.{group}]\n{one.format(module=module)}\n" for group, one in ENTRY_POINTS.items()]
    (facts / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")


def documented():
    """Return the parts that the documentation makes, without their checks."""
    page = [block.code for block in blocks(DOCS / "extending.md") if block.language == "python"]
    return "\n".join(code for code in page if "cellscale.testing" not in code)


def model(folder):
    """Write the network that the documentation makes."""
    (code,) = (block.code for block in blocks(DOCS / "extending.md") if "onnx.save" in block.code)
    made = code.partition("check_network(")[0].replace('"centres.onnx"', repr(str(folder / "centres.onnx")))
    exec(compile(made, "extending.md", "exec"), {})
    return folder / "centres.onnx"
