"""The promises of the project's own files: versions, imports, the README's commands."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from lildata_utils.cli.main import main as cli
from lildata_utils.course.check import Check, checks
from lildata_utils.files import PROJECT_FOLDER

PROJECT = tomllib.loads((PROJECT_FOLDER / "pyproject.toml").read_text())["project"]
LOCK = (PROJECT_FOLDER / "requirements.lock").read_text()
PACKAGE = PROJECT_FOLDER / "lildata_utils"

# From top to bottom: a module imports only what stands further down.
FLOORS = [
    "cli",
    "course",
    "check",
    "demo",
    "exercises",
    "panel",
    "generation",
    "transfers",
    "listening",
    "workspace",
    "widgets",
    "players",
    "plotting",
    "sweep",
    "evaluation",
    "style_transfer",
    "grad_cam",
    "networks",
    "lstm",
    "resnet",
    "classifier",
    "training",
    "features",
    "twins",
    "prepare",
    "dataset",
    "splits",
    "shards",
    "sources",
    "degradation",
    "audio",
    "pictures",
    "measures",
    "inversion",
    "spectrogram",
    "stft",
    "crate",
    "profiles",
    "parallel",
    "pretrained",
    "backend",
    "files",
    "quiet",
    "errors",
]


def test_environment_yml_agrees_with_pyproject():
    environment = yaml.safe_load((PROJECT_FOLDER / "environment.yml").read_text())
    *conda, by_pip = environment["dependencies"]
    versions = {Requirement(line).name: Requirement(line).specifier for line in conda}
    assert set(versions) == {"python", "pip", "ffmpeg"}
    assert versions["python"] == SpecifierSet(PROJECT["requires-python"])
    lock, editable = by_pip["pip"]
    assert lock == "-r requirements.lock"
    extras = re.fullmatch(r"-e \.\[(.+)\]", editable)[1].split(",")
    assert set(extras) == set(PROJECT["optional-dependencies"])


def test_the_lock_pins_everything_within_its_range_and_names_no_address():
    pins = {}
    for line in LOCK.splitlines():
        if line and not line.startswith((" ", "#")):
            pin = Requirement(line)
            assert str(pin.specifier).startswith("=="), line
            pins.setdefault(canonicalize_name(pin.name), []).append(pin)
    assert not re.search(r"https?://|^-", LOCK, re.MULTILINE)
    extras = PROJECT["optional-dependencies"].values()
    for line in [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]:
        wanted = Requirement(line)
        for pin in pins[canonicalize_name(wanted.name)]:
            version = str(pin.specifier).removeprefix("==")
            assert wanted.specifier.contains(version), f"{line} against {pin}"


def test_every_dependency_is_justified():
    for line in (PROJECT_FOLDER / "pyproject.toml").read_text().splitlines():
        if re.match(r'    "[a-z].*[<>=]', line) and "sys_platform" not in line:
            assert "#" in line, line


def test_help_imports_nothing_heavy():
    heavy = "{'tensorflow', 'keras', 'librosa', 'pandas', 'scipy', 'matplotlib', 'IPython'}"
    code = (
        "import sys; from lildata_utils.cli.main import main\n"
        "try: main(['--help'])\n"
        f"except SystemExit: print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def imports(path):
    """The project's modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "lildata_utils":
                found |= {alias.name for alias in node.names}
            elif node.module.startswith("lildata_utils."):
                found.add(node.module.split(".")[1])
    return found - {"__version__"}


def test_imports_go_down_only():
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"} | {"crate"}
    assert modules == set(FLOORS), "a module is missing in the list above, or gone"
    for module in FLOORS:
        files = (
            [PACKAGE / f"{module}.py"] if module != "crate" else (PACKAGE / "crate").glob("*.py")
        )
        for path in files:
            higher = FLOORS[: FLOORS.index(module)]
            assert not imports(path) & set(higher), f"{path.name} imports upwards"


def test_widgets_stay_out_of_the_house_below():
    for path in PACKAGE.rglob("*.py"):
        if path.stem not in ("widgets", "panel"):
            assert not re.search(
                r"^\s*(import|from) (ipywidgets|anywidget)", path.read_text(), re.M
            )


def readme_commands():
    text = (PROJECT_FOLDER / "README.md").read_text()
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip() and not line.startswith("#"):
                yield line.split("  #")[0].strip()


def test_the_readme_has_commands():
    assert len(list(readme_commands())) >= 10


@pytest.mark.parametrize("line", readme_commands())
def test_commands_of_the_readme_exist(line):
    words = [word for word in shlex.split(line) if "=" not in word.split("/")[0] or word[0] == "-"]
    if words[0] == "lildata":
        cli._parser().parse_args(words[1:])
    elif words[0] == "make":
        makefile = (PROJECT_FOLDER / "Makefile").read_text()
        for target in words[1:]:
            assert re.search(rf"^{target}:", makefile, re.M), target
    elif words[0] == "python":
        assert (PROJECT_FOLDER / words[1]).is_file()
    else:
        assert words[0] in {"git", "cd", "conda", "source", ".", "export"}, line


def test_check_finds_this_machine_fit():
    results = list(checks())
    assert all(isinstance(result, Check) for result in results)
    assert [str(result) for result in results if not result.ok] == []


def test_check_names_a_package_of_the_wrong_version(monkeypatch):
    import importlib.metadata

    real = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: "0.1" if name == "librosa" else real(name)
    )
    (failed,) = [result for result in checks() if not result.ok]
    assert str(failed).startswith("[fail] packages: librosa 0.1 is not")
