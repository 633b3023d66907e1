"""``cellscale classify``: a table's classes in project, AnnData and records, and nothing of a person's lost."""

import csv
import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.runs import contents, run
from tests.pipeline.spots import spots, write_dataset
from tests.qupath.edits.data_editor import Edit, after_children, children, classify, drawn, measurements

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny_model):
    dataset = write_dataset(
        tmp_path_factory.mktemp("classify") / "d", one=spots((150, 160), seed=4), two=spots((120, 130))
    )
    words = ["--model_path", tiny_model, "--export", "anndata", "--no_report"]
    assert run("segment-and-measure", *words, "workspace", dataset).exit_code == 0
    return dataset


@pytest.fixture
def dataset(finished, tmp_path):
    copy = shutil.copytree(finished, tmp_path / "d", copy_function=shutil.copy2)
    project = copy / "PROJ" / "project.qpproj"
    project.write_text(project.read_text().replace(str(finished), str(copy)))
    return copy


def ids(dataset, image="one"):
    return pq.read_table(dataset / "REPORTS" / f"{image}_QUANT.parquet")["Object ID"].to_pylist()


def data(dataset, number=1):
    return dataset / "PROJ" / "data" / str(number) / "data.qpdata"


def table(path, rows, header=("Object ID", "phenotype")):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def classes(dataset, number=1):
    """Return the name of each cell's class in the project, with those that it lies below."""

    def name(path_class):
        parent = path_class.values["parentClass"]
        return (name(parent) if parent else ()) + (path_class.values["name"],)

    found = {one: after_children(cell)[1] for one, cell in Edit(data(dataset, number)).cells().items()}
    return {one: name(path_class) for one, path_class in found.items() if path_class is not None}


def test_classes_are_in_project_anndata_and_record(dataset, tmp_path):
    anndata = pytest.importorskip("anndata")
    first, second, third, *_ = ids(dataset)
    before = measurements(Edit(data(dataset)).cells()[first])
    rows = [(first, "Immune: CD8"), (second, "Tumor"), (third, ""), (ids(dataset, "two")[0], "Tumor")]
    done = run("classify", dataset, table(tmp_path / "t.csv", rows), "--color", "Tumor=#c80000")
    assert done.exit_code == 0, done.stderr
    assert [line.split("\t")[:2] for line in done.stdout.splitlines()] == [["one", "2 cells"], ["two", "1 cells"]]
    assert classes(dataset) == {first: ("Immune", "CD8"), second: ("Tumor",)}
    assert list(classes(dataset, 2).values()) == [("Tumor",)]
    edit = Edit(data(dataset))
    assert measurements(edit.cells()[first]) == before
    colour = after_children(edit.cells()[second])[1].values["colorRGB"].values["value"]
    assert colour == -(2**24) + 0xC80000
    summary = json.loads((data(dataset).parent / "summary.json").read_text())
    counts = summary["hierarchy"]["detectionClassificationCounts"]
    assert counts == {"Immune: CD8": 1, "Tumor": 1, "Unclassified": len(ids(dataset)) - 2}
    made = anndata.read_h5ad(dataset / "REPORTS" / "one_QUANT.h5ad")
    assert made.obs["class"].dropna().to_dict() == {first: "Immune: CD8", second: "Tumor"}
    assert list(made.obs["class"].cat.categories) == ["Immune: CD8", "Tumor"]
    assert list(made.uns["class_colors"])[1] == "#c80000"
    assert made.n_vars == 2
    kept = pq.read_table(dataset / "REPORTS" / "one_CLASSES.parquet").to_pylist()
    assert kept[1] == {"Object ID": second, "Class": "Tumor", "Colour": "#c80000"}
    assert run("verify", dataset).exit_code == 0


def test_a_second_table_replaces_the_first_and_takes_away_what_it_lacks(dataset, tmp_path):
    first, second, third, *_ = ids(dataset)
    run("classify", dataset, table(tmp_path / "t.csv", [(first, "A"), (second, "B")]))
    assert run("classify", dataset, table(tmp_path / "u.csv", [(second, "C"), (third, "A")])).exit_code == 0
    assert classes(dataset) == {second: ("C",), third: ("A",)}
    before = contents(dataset)
    assert run("classify", dataset, tmp_path / "u.csv").exit_code == 0
    after = contents(dataset)
    assert [name for name in after if name.startswith("PROJ") and after[name] != before[name]] == []


def test_what_a_person_did_stays_and_is_kept_beside(dataset, tmp_path):
    first, second, *_ = ids(dataset)
    edit = Edit(data(dataset))
    classify(edit.cells()[first])
    edit.add(drawn(name="mine"))
    edit.save()
    theirs = data(dataset).read_bytes()
    words = ["classify", dataset, table(tmp_path / "t.csv", [(first, "A"), (second, "B")])]
    done = run(*words)
    assert "classes given in QuPath stay where they differ from the table, 1 in all" in done.stderr
    assert classes(dataset) == {first: ("Tumor",), second: ("B",)}
    assert children(Edit(data(dataset)).root)[-1].contents[0] == "mine"
    (kept,) = data(dataset).parent.glob("data.qpdata.edited-*")
    assert kept.read_bytes() == theirs
    assert run(*words, "--replace").exit_code == 0
    assert classes(dataset)[first] == ("A",)


def test_classes_survive_a_run_with_other_options(dataset, tmp_path):
    first = ids(dataset)[0]
    assert run("classify", dataset, table(tmp_path / "t.csv", [(first, "A")])).exit_code == 0
    assert run("measure", "--matching", "qupath-initializer", "--no_report", "workspace", dataset).exit_code == 0
    assert classes(dataset) == {first: ("A",)}


def test_parquet_with_numbers_of_clusters(dataset, tmp_path):
    first, second, third, *_ = ids(dataset)
    columns = {"cell": [first, second, third], "leiden": pa.array([0, 1, None], pa.int32()), "umap": [0.5, 1, 2]}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    words = ["classify", dataset, tmp_path / "t.parquet", "--id_column", "cell"]
    run(*words).explains("several columns", "--column", "leiden, umap")
    assert run(*words, "--column", "leiden").exit_code == 0
    assert classes(dataset) == {first: ("0",), second: ("1",)}


@pytest.mark.parametrize(
    ("rows", "header", "words"),
    [
        ([("nobody", "A")], None, ["1 of 2 objects of the table are not in", "nobody", "nothing was changed"]),
        ([("FIRST", "B")], None, ["row 2", "two classes, A and B"]),
        ([("x", "A: :B")], None, ["row 2", "cannot be the name of a class"]),
        ([], ("id", "phenotype"), ["no column 'Object ID'", "id, phenotype"]),
        ([], ("Object ID",), ["several columns", "--column"]),
    ],
)
def test_a_table_that_does_not_fit_changes_nothing(dataset, tmp_path, rows, header, words):
    first = ids(dataset)[0]
    before = contents(dataset)
    all_rows = [(first, "A"), *((first if one == "FIRST" else one, name) for one, name in rows)]
    made = table(tmp_path / "t.csv", all_rows, header or ("Object ID", "phenotype"))
    run("classify", dataset, made).explains(*words)
    assert contents(dataset) == before


def test_a_damaged_project_file_stops_no_other_image(dataset, tmp_path):
    data(dataset).write_bytes(b"nothing")
    rows = [(ids(dataset)[0], "A"), (ids(dataset, "two")[0], "B")]
    done = run("classify", dataset, table(tmp_path / "t.csv", rows))
    assert done.exit_code == 1
    assert "failed: one: no classes can be put into" in done.stderr
    assert data(dataset).read_bytes() == b"nothing"
    assert list(classes(dataset, 2).values()) == [("B",)]


def test_a_dataset_without_tables(tmp_path):
    made = table(tmp_path / "t.csv", [("x", "A")])
    (tmp_path / "empty").mkdir()
    run("classify", tmp_path / "empty", made).explains("no tables of cells", "cellscale measure")
