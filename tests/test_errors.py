import pytest

from symgnn_pyg.errors import DataError, check_names, warn


def test_names_of_all_languages():
    check_names(["left knee", "колено", "膝\u3000左", "genou\u202fgauche"], "x")


@pytest.mark.parametrize(
    "name", ["\x1b[2J", "a\nb", "\x9b31m", "\udcff", 5, None, {}, b"knee"]
)
def test_what_is_no_name(name):
    with pytest.raises(
        DataError, match=r"The class .* must be a string without"
    ) as error:
        check_names(["knee", name], "The class")
    assert str(error.value).isprintable()


def test_errors_escape_what_a_terminal_obeys():
    error = DataError("a\x1b]0;title\x07\nb \x9b31m \udcff")
    assert str(error) == "a\\x1b]0;title\\x07\nb \\x9b31m \\udcff"


@pytest.mark.parametrize("name", ["torch_study", None])
def test_warnings_name_the_line_of_the_user(name):
    """Also in a file whose name begins like that of a library."""
    code = compile("warn('text')", "torch_study.py", "exec")
    with pytest.warns(UserWarning, match="text") as warned:
        exec(code, {"__name__": name, "warn": warn})
    assert warned[0].filename == "torch_study.py"
