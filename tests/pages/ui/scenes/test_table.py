"""Which row of the table a click means."""

from __future__ import annotations

import pytest

from pages.ui.scenes.table import picked


@pytest.mark.parametrize(
    ("selection", "row"),
    [
        ({"rows": [3], "cells": []}, 3),
        ({"rows": [3], "cells": [[5, "Name"]]}, 5),
        ({"rows": [], "cells": []}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_click_on_a_cell_means_its_row(selection: object, row: int | None) -> None:
    assert picked(selection) == row
