"""Settings files lie over the defaults and below the command line, for all images or for some."""

import tomllib

import pytest

from tests.cli.runs import run
from tests.pipeline.spots import spots, write_dataset


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    planes = spots((60, 80))
    return write_dataset(tmp_path_factory.mktemp("settings"), alpha=planes, beta=planes, gamma=planes) / "OMETIFF"


@pytest.fixture
def dataset(images, tmp_path):
    (tmp_path / "OMETIFF").symlink_to(images)
    return tmp_path


@pytest.fixture
def planned(dataset, tiny_model):
    """Return what a dry run tells of each image."""

    def tell(*options):
        done = run("segment", "--model_path", tiny_model, "--dry_run", *options, "workspace", dataset)
        assert done.exit_code == 0, done.stderr
        notes = [line.split(": ", 1) for line in done.stdout.splitlines() if "µm/px" in line]
        return dict(notes), done.stderr

    return tell


def test_the_datasets_own_file_is_taken_and_told(dataset, planned):
    (dataset / "cellscale.toml").write_text('image-mpp = 0.7\nnuclear_channel = "#2"\n')
    notes, told = planned()
    assert f"settings: {dataset / 'cellscale.toml'}" in told
    assert len(notes) == 3
    for note in notes.values():
        assert "nucleus: #2 Membrane (given)" in note
        assert "0.7 µm/px (given)" in note


def test_the_command_line_wins_over_every_file(dataset, planned):
    (dataset / "cellscale.toml").write_text("image_mpp = 0.7\n[image.alpha]\nimage_mpp = 0.8\n")
    assert all("0.3 µm/px" in note for note in planned("--image_mpp", "0.3")[0].values())


def test_images_have_settings_of_their_own_and_the_last_that_fits_wins(dataset, planned):
    (dataset / "cellscale.toml").write_text(
        'image_mpp = 0.7\n[image."*a"]\nimage_mpp = 0.6\ncombine = "max"\n'
        "[image.'beta.ome.tiff']\nimage_mpp = 0.55\n[image.\"[g]amma\"]\nnuclear_channel = '#2'\n"
    )
    notes, _ = planned()
    assert "0.6 µm/px" in notes["alpha"]
    assert "0.55 µm/px" in notes["beta"]
    assert "0.6 µm/px" in notes["gamma"]
    assert "nucleus: #2 Membrane" in notes["gamma"]
    assert "nucleus: #1 DAPI" in notes["alpha"]


def test_a_sample_sheet_by_itself_or_named_by_the_settings(dataset, planned):
    (dataset / "samplesheet.csv").write_text("image,image_mpp,nuclear_channel\nalpha,0.6,\n/x/beta.ome.tiff,,#2\n")
    (dataset / "cellscale.toml").write_text('samplesheet = "samplesheet.csv"\nimage_mpp = 0.9\n')
    beside, _ = planned()
    named, told = planned("--settings", dataset / "samplesheet.csv")
    assert "settings:" not in told
    assert [("0.6 µm" in notes["alpha"], "#2 Membrane (given)" in notes["beta"]) for notes in (beside, named)] == [
        (True, True),
        (True, True),
    ]
    assert "0.9 µm/px" in beside["beta"]
    assert "0.5 µm/px (file)" in named["beta"]


def test_places_in_a_file_begin_at_its_folder(dataset, planned, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    (dataset / "lists").mkdir()
    (dataset / "lists" / "names.txt").write_text("Membrane\nDAPI\n")
    (dataset / "lists" / "my.toml").write_text('[image.alpha]\nchannel_names = "names.txt"\n')
    with_list, _ = planned("--settings", dataset / "lists" / "my.toml")
    assert "nucleus: #2 DAPI" in with_list["alpha"]
    assert "nucleus: #1 DAPI" in with_list["beta"]


@pytest.mark.slow
def test_every_run_writes_the_settings_that_repeat_it(dataset, tiny_model):
    words = ["--model_path", tiny_model, "--max_memory", "3GB", "--no_report", "--nuclear_channel", '"DAPI",#2']
    (dataset / "cellscale.toml").write_text('whole_cell_radius = 3\n[image."[ab]*"]\nimage_mpp = 0.45\n')
    assert run("segment", *words, "workspace", dataset).exit_code == 0
    (kept,) = (dataset / "jobs").glob("*/settings.toml")
    facts = tomllib.loads(kept.read_text())
    assert facts["nuclear_channel"] == ['"DAPI",#2']
    assert facts["whole_cell_radius"] == 3
    assert facts["max_memory"] == "3GB"
    assert facts["no_report"] is True
    assert "overwrite" not in facts
    assert facts["image"] == {"alpha": {"image_mpp": 0.45}, "beta": {"image_mpp": 0.45}}
    (dataset / "cellscale.toml").unlink()
    again = run("segment", "--settings", kept, "workspace", dataset)
    assert again.statuses == dict.fromkeys(["alpha", "beta", "gamma"], "kept")
    assert list((dataset / "jobs").glob("*/settings.toml")) == [kept]  # a run that makes nothing leaves nothing
    assert run("segment", "--overwrite", "--settings", kept, "workspace", dataset).exit_code == 0
    first, second = (path.read_text() for path in sorted((dataset / "jobs").glob("*/settings.toml")))
    assert first == second
    without = run("segment", *words, "--dry_run", "workspace", dataset)
    assert set(without.statuses.values()) == {"planned"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nuclear_chanel = 'DAPI'", ["line 1, column 1", "'nuclear_chanel'", "did you mean nuclear_channel?"]),
        ("x = 1", ["there is no option 'x'", "--help"]),
        ("\nimage_mpp = 'half'", ["line 2, column 1", "image_mpp", "'half' is not a finite number"]),
        ("image_mpp = [1, 2]", ["image_mpp", "a list is found", "one value"]),
        ("image_mpp = true", ["true is found"]),
        ("no_report = 1", ["expected true or false"]),
        ("workers = 1.5", ["workers", "1.5", "not a valid int"]),
        ("combine = 'min'", ["combine", "'min'"]),
        ("whole_cell_radius = 0", ["radius", "line 1, column 1: whole_cell_radius"]),
        ("overwrite = true", ["line 1, column 1", "give --overwrite on the command line"]),
        ("settings = 'a.toml'", ["give --settings on the command line"]),
        ("samplesheet = 'gone.csv'", ["line 1, column 1", "gone.csv"]),
        ("samplesheet = 3", ["expected the name of a file"]),
        ("[image.alfa]\nimage_mpp = 1", ["line 1, column 1", "no image 'alfa'", "did you mean alpha?"]),
        ("[image.zzz]", ["no image 'zzz'", "alpha, beta, gamma"]),
        ("[image.alpha]\nnuclear_chanel = 'x'", ["line 2, column 1", "did you mean nuclear_channel?"]),
        ("[image.'z*']\nimage_mpp = 0", ["line 2, column 1", "above 0"]),
        ("[image.alpha]\nimage_mpp = 1\nworkers = 3", ["line 3, column 1: workers", "all images of a run"]),
        ("[image.alpha]\nengine = 'local'", ["line 2, column 1: engine", "all images of a run"]),
        ("[image.alpha]\nnuclear_radius = 0", ["radius", "line 2, column 1: nuclear_radius"]),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_nothing_is_written(dataset, tiny_model, text, words):
    (dataset / "cellscale.toml").write_text(text)
    before = sorted(dataset.iterdir())
    run("segment", "--model_path", tiny_model, "workspace", dataset).explains("cellscale.toml", *words)
    assert sorted(dataset.iterdir()) == before


def test_a_pattern_that_fits_nothing_is_a_warning(dataset, planned):
    (dataset / "cellscale.toml").write_text("[image.'z*']\nimage_mpp = 0.2\n")
    notes, told = planned()
    assert "line 1, column 1: no image fits 'z*'" in told
    assert all("0.5 µm/px" in note for note in notes.values())


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff\xfe", ["line 1", "not UTF-8", "0xff"]), (b"a = 1\nb = '\xe4'", ["line 2", "not UTF-8"])],
)
def test_a_file_of_another_encoding(dataset, tiny_model, content, words):
    (dataset / "mine.toml").write_bytes(content)
    options = ["--model_path", tiny_model, "--settings", dataset / "mine.toml"]
    run("segment", *options, "workspace", dataset).explains("mine.toml", *words)


def test_a_named_file_that_is_not_there(dataset, tiny_model):
    options = ["--model_path", tiny_model, "--settings", dataset / "gone.toml"]
    run("segment", *options, "workspace", dataset).explains("the settings cannot be read", "gone.toml")
