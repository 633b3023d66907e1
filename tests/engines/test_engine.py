import pytest

from cellscale.engines import local
from cellscale.engines.engine import engine_names, find_engine
from cellscale.errors import RequestError


def test_the_local_engine_is_found_by_its_entry_point():
    assert "local" in engine_names()
    assert find_engine("local") is local.run


def test_an_engine_that_is_not_installed_is_a_wrong_request_that_lists_the_others():
    with pytest.raises(RequestError, match=r"no engine 'cray'; found .*local"):
        find_engine("cray")
