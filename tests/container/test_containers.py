"""The container images, as far as that can be known without building them."""

import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from llvmlite.binding import get_host_cpu_features

import cellscale
from cellscale.kernel_target import targets
from tests.predict.native.mesmer_graph import mesmer_graph
from tests.predict.tiny_network import write_tiny_network

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "container"
DOCKERFILES = [FOLDER / "Dockerfile", FOLDER / "Dockerfile.dask", FOLDER / "Dockerfile.gpu"]
sys.path.insert(0, str(FOLDER))


def instructions(path):
    """Return the instructions of a Dockerfile as pairs of keyword and rest, by stage."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    stages = []
    for line in filter(None, map(str.strip, text.splitlines())):
        keyword, _, rest = line.partition(" ")
        if keyword == "FROM":
            stages.append([])
        if stages:
            stages[-1].append((keyword, rest))
    return stages


def environment(stage):
    return dict(word.split("=", 1) for keyword, rest in stage if keyword == "ENV" for word in shlex.split(rest))


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_hadolint_finds_nothing(path) -> None:
    program = shutil.which("hadolint", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if program is None:
        pytest.skip("hadolint is not installed (there is no package of it for this system)")
    done = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_nobody_is_root_and_words_go_to_the_entry_script_or_to_whatever_dask_wants(path) -> None:
    last = dict(instructions(path)[-1])
    assert int(last["USER"]) > 0
    if path.name == "Dockerfile.dask":
        assert "ENTRYPOINT" not in last
    else:
        assert json.loads(last["ENTRYPOINT"]) == ["/opt/cellscale/bin/entry"]
        assert (
            "COPY",
            "--from=build /opt/cellscale/bin/cellscale-run-app /usr/src/app/run_app.py",
        ) in instructions(path)[-1]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_kernels_are_compiled_for_where_they_run_and_nothing_is_reported(path) -> None:
    base, build, last = instructions(path)
    assert dict(build)["FROM"] == "base AS build"
    assert dict(last)["FROM"] == "base"
    variables = environment(base)
    assert {"NUMBA_CACHE_DIR", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"} <= set(variables)
    assert variables["ORT_DISABLE_TELEMETRY"] == "1"


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_what_is_copied_is_there_and_sent_to_the_builder(path) -> None:
    sent = sent_to_the_builder(ROOT)
    copied = [rest for keyword, rest in instructions(path)[1] if keyword == "COPY"]
    for rest in copied:
        for source in rest.split()[:-1]:
            assert (ROOT / source).exists()
            assert any(name == source or name.startswith(f"{source}/") for name in sent)
    lock = {"": "container.txt", ".dask": "container-dask.txt", ".gpu": "container-gpu.txt"}[path.suffix]
    assert f"requirements/{lock}" in copied[0]


def sent_to_the_builder(root):
    """Return the files that docker would send, by the rules of its own library."""
    build = pytest.importorskip("docker.utils.build")
    patterns = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
    ]
    return {name for name in build.exclude_paths(str(root), patterns) if (root / name).is_file()}


@pytest.fixture
def cluttered(tmp_path):
    """A folder of sources as they look after some work."""
    wanted = [
        *("pyproject.toml", "README.md", "LICENSE", "src/cellscale/api/__init__.py", "requirements/container.txt"),
        *("container/slim.py", "container/packages.sh", "tests/predict/tiny_network.py"),
    ]
    clutter = [
        *(
            ".venv/bin/python",
            ".git/config",
            ".env",
            "demo/OMETIFF/a.ome.tiff",
            "mydata/OMETIFF/b.ome.tiff",
            "slide.svs",
        ),
        *(
            "build/environments/newest-3.13/bin/python",
            "viewer/node_modules/x/index.js",
            "tests/conftest.py",
            "key.json",
        ),
        *("src/cellscale/__pycache__/api.cpython-313.pyc", "container/__pycache__/slim.cpython-313.pyc"),
        *("tests/predict/__pycache__/x.pyc", "tests/predict/test_other.py", "docs/index.md", "mesmer.onnx"),
    ]
    for name in [*wanted, *clutter]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path, set(wanted)


def test_environments_and_data_are_not_sent_to_a_builder(cluttered) -> None:
    folder, wanted = cluttered
    assert sent_to_the_builder(folder) == wanted


def test_environments_and_data_are_not_sent_to_google(cluttered) -> None:
    folder, wanted = cluttered
    (folder / ".git" / "config").unlink()
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True, capture_output=True)
    command = ["git", "-C", str(folder), "ls-files", "--others", "--exclude-from", str(ROOT / ".gcloudignore")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert set(done.stdout.splitlines()) == wanted


def test_google_builds_and_keeps_all_with_the_version_as_tag() -> None:
    yaml = pytest.importorskip("yaml")
    build = yaml.safe_load((FOLDER / "cloudbuild.yaml").read_text())
    tagged = {step["args"][step["args"].index("--tag") + 1] for step in build["steps"]}
    built = {ROOT / step["args"][step["args"].index("--file") + 1] for step in build["steps"]}
    assert tagged == set(build["images"])
    assert built == set(DOCKERFILES)
    assert build["substitutions"]["_TAG"] == cellscale.__version__
    assert all(re.search(r":\d[\w.]*(@sha256:\w{64})?$", step["name"]) for step in build["steps"])


def test_the_documentation_names_images_by_this_version() -> None:
    named = re.compile(r"\bcellscale(?:-gpu|-dask)?:(latest|\d+\.\d+\S*?)(?=[\s\"`,)]|$)")
    pages = [FOLDER / "README.md", ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert {tag for page in pages for tag in named.findall(page.read_text())} == {cellscale.__version__}


def test_base_images_are_pinned_by_the_digest_that_the_registry_tells() -> None:
    from pin import pinned

    asked = []

    def ask(image):
        asked.append(image)
        return f"sha256:{len(asked) * 'a':0<64}"

    dockerfile = pinned((FOLDER / "Dockerfile").read_text(), ask)
    python = re.search(r"ARG PYTHON=(.+)", dockerfile)[1]
    assert asked == [f"python:{python}-slim"]
    assert f"ARG BASE=python:${{PYTHON}}-slim@sha256:a{63 * '0'}\n" in dockerfile
    assert f"@sha256:aa{62 * '0'}\n" in pinned(dockerfile, ask)
    assert asked[1] == asked[0]
    step = "    name: gcr.io/cloud-builders/docker:24.0.9"
    assert pinned(step, lambda image: image[-6:]) == f"{step}@24.0.9"


def test_only_what_no_run_uses_is_removed_from_packages(tmp_path) -> None:
    import slim

    gone = [
        "a/tests/test_a.py",
        "a/sub/tests/data/x.csv",
        "a/core.pxd",
        "botocore/data/ec2/x.gz",
        "pyarrow/libarrow_flight.so.2600",
    ]
    kept = ["a/__init__.py", "a/testing.py", "a/protest.py", "botocore/data/s3/x.gz", "botocore/data/endpoints.json"]
    for name in [*gone, *kept]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (1.5, 1.5))
    slim.main(tmp_path)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == set(kept)
    assert all((tmp_path / name).stat().st_mtime == 1 for name in kept)


def test_layers_tell_what_everybody_may_write_to(tmp_path) -> None:
    import builders

    for name, mode in (("open", 0o777), ("tmp", 0o1777), ("closed", 0o775)):
        (tmp_path / "root" / name).mkdir(parents=True)
        (tmp_path / "root" / name).chmod(mode)
    (tmp_path / "root/closed/file").write_bytes(bytes(1000))
    (tmp_path / "root/closed/link").symlink_to("file")
    (tmp_path / "root/tmp/file").touch()
    (tmp_path / "root/tmp/file").chmod(0o666)
    with tarfile.open(tmp_path / "layer.tar", "w") as archive:
        archive.add(tmp_path / "root", ".")
    with tarfile.open(tmp_path / "layer.tar") as archive:
        layer = builders._look_at(archive)
    assert layer.size == 1000
    assert layer.open_to_all == ("./open", "./tmp/file")
    assert layer.largest[0] == ("closed/file", 1000)


@pytest.mark.slow
def test_the_kernels_are_compiled_by_a_real_run(tmp_path) -> None:
    model, mesmer_like = write_tiny_network(tmp_path / "tiny.onnx", surround=31), tmp_path / "mesmer.onnx"
    mesmer_like.write_bytes(mesmer_graph(residual=True))
    (tmp_path / "targets.txt").write_text("any +any\n")  # no better one than what is here
    given = [str(path) for path in (model, mesmer_like, tmp_path / "targets.txt", tmp_path)]
    subprocess.run([sys.executable, str(FOLDER / "compile_kernels.py"), *given], check=True, capture_output=True)
    measured = {path.name for path in (tmp_path / "REPORTS").glob("*.tsv")}
    assert {"uint8_QUANT.tsv", "float32_QUANT.tsv", "tissue_001_QUANT.tsv"} <= measured


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the images' kinds of processors are x86-64's")
def test_kernels_are_compiled_for_better_processors_without_running_and_used_there(tmp_path) -> None:
    named = FOLDER / "targets.txt"
    *_, (better, has), (least, features) = targets(named.read_text()).items()
    if not all(get_host_cpu_features().get(feature.removeprefix("+")) for feature in has.split(",")):
        pytest.skip(f"this processor is less than {better}")
    kernels = tmp_path / "kernels"
    own = {"NUMBA_CACHE_DIR": str(kernels), "NUMBA_CPU_NAME": least, "NUMBA_CPU_FEATURES": features}
    simulate = [sys.executable, "-m", "cellscale", "simulate", "--overwrite", "--size", "128", str(tmp_path)]

    def run(*words: str, **variables: str) -> str:
        done = subprocess.run(words, env=os.environ | variables, check=True, capture_output=True, text=True)
        return done.stdout

    def files() -> set[Path]:
        return set(kernels.rglob("*.nbc"))

    run(*simulate, **own)
    before = files()
    again = [sys.executable, str(FOLDER / "compile_again.py"), least, features]
    found = {}
    for name, kind in targets(named.read_text()).items():
        if name in (better, "x86-64-v4"):  # the second one is compiled wherever this runs
            told = run(*again, **own | {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": kind})
            found[name] = int(told.split()[0])
    assert min(found.values()) == max(found.values()) > 3
    compiled = files()
    assert len(compiled - before) >= sum(found.values())
    lines = [line for line in named.read_text().splitlines() if line.startswith((better, least))]
    (tmp_path / "two.txt").write_text("\n".join(lines))
    compiled = files()
    run(*simulate, **own, CELLSCALE_KERNEL_TARGETS=str(tmp_path / "two.txt"))
    assert files() == compiled


def test_the_last_kind_of_processors_is_what_the_images_name() -> None:
    named = targets((FOLDER / "targets.txt").read_text())
    assert list(named) == ["sapphirerapids", "x86-64-v4", "x86-64-v3", "x86-64-v2"]
    sizes = [len(features.split(",")) for features in named.values()]
    assert sizes == sorted(sizes, reverse=True)
    for path in DOCKERFILES:
        variables = environment(instructions(path)[0])
        assert list(named.items())[-1] == (variables["NUMBA_CPU_NAME"], variables["NUMBA_CPU_FEATURES"])
        assert variables["CELLSCALE_KERNEL_TARGETS"] == "/opt/cellscale/targets.txt"


@pytest.mark.slow
def test_the_entry_point_answers_quickly_and_needs_no_home(tmp_path) -> None:
    program = Path(sys.executable).with_name("cellscale")
    bare = {"PATH": "/usr/bin:/bin", "CELLSCALE_CACHE": str(tmp_path / "cache")}
    for words in (["--help"], ["stage", "segment-image", "--help"], ["--version"]):
        done = subprocess.run([str(program), *words], env=bare, cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
    done = subprocess.run(
        [str(program), "stage", "segment-image", "--tasks_spec_uri", str(tmp_path / "none"), "--task_index", "0"],
        env=bare,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["severity"] == "ERROR"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--version"], f"cellscale, version {cellscale.__version__}\n"),
        (["mesmer", "--help"], "usage: run_app.py mesmer"),
        (["/bin/sh", "-c", "echo an engine"], "an engine\n"),
    ],
)
def test_words_are_those_of_cellscale_of_deepcell_or_a_program(words, told, tmp_path) -> None:
    (tmp_path / "cellscale-run-app").symlink_to(ROOT / "scripts" / "run_app.py")
    path = os.pathsep.join([str(Path(sys.executable).parent), str(tmp_path), os.environ["PATH"]])
    command = ["sh", str(FOLDER / "entry.sh"), *words]
    done = subprocess.run(command, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(told)
