"""What stands alone on its page, and what only seems to."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ml.strokes import Pages, find_lone_digits


@pytest.mark.parametrize("desk", [90, 110, 130, 180])
@pytest.mark.parametrize("width", [14, 30])
def test_the_shadow_along_a_sheet_does_not_stand_alone(desk: int, width: int) -> None:
    page = np.full((500, 400), desk, np.uint8)
    page[:, 200:] = 180
    page[80:420, 200 - width : 200] = 50
    photographed = cv2.GaussianBlur(page, (0, 0), 1.5)

    found = next(iter(find_lone_digits(Pages(photographed))))

    assert bool(found) == (desk == 180)  # even paper all around: a 1
