"""Runs of the command line inside this process, and what a test wants to know of them."""

from dataclasses import dataclass

from click.testing import CliRunner

from cellscale.cli.main import cellscale

__all__ = ["MASKS", "OUTPUTS", "TABLES", "Run", "contents", "finished", "run"]

MASKS = ("SEGMASK/{}_WholeCellMask.tiff", "SEGMASK/{}_NucleusMask.tiff")
TABLES = (
    "REPORTS/{}_QUANT.tsv",
    "REPORTS/{}_QUANT.parquet",
    "SEGMASK/{}_Cells.geojson.gz",
    "SEGMASK/{}_WholeCellShapes.jsonl",
    "SEGMASK/{}_NucleusShapes.jsonl",
)
OUTPUTS = MASKS + TABLES
"""An image's outputs below its dataset."""


@dataclass(frozen=True)
class Run:
    """What a person sees of a run."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def statuses(self):
        """The status of each image, from the closing table."""
        lines = self.stdout.partition("masks")[0].splitlines()[1:]
        return {cells[0]: cells[1] for cells in (line.split("\t") for line in lines) if len(cells) > 1}

    @property
    def errors(self):
        """Why each failed image failed."""
        told = [line.removeprefix("failed: ") for line in self.stderr.splitlines() if line.startswith("failed: ")]
        assert len(told) == len({line.partition(": ")[0] for line in told}), "an image's error was told twice"
        return dict(line.split(": ", 1) for line in told)

    def explains(self, *words):
        """Check that the run was refused as a whole, in one message that has all the words."""
        assert self.exit_code == 2, self.stderr
        assert self.stdout == ""
        message = self.stderr.rpartition("Error: ")[2]
        for word in words:
            assert word in message


def run(*words):
    """Run ``cellscale`` with these words; whatever it does, it shows no traceback."""
    result = CliRunner().invoke(cellscale, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    shown = result.stdout + result.stderr
    assert "Traceback" not in shown, shown
    assert "unexpected error" not in shown, shown
    return Run(result.exit_code, result.stdout, result.stderr)


def finished(dataset, image, outputs=OUTPUTS):
    """Tell whether all outputs of an image are there."""
    return all((dataset / output.format(image)).is_file() for output in outputs)


def contents(*folders):
    """Return the content of every file below some folders but the report, which tells the time, by its path."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for folder in folders
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.suffix != ".html"
    }
