"""Answers that are pictures."""

from typing import Any

import numpy as np
from fastapi import Response

from serve.pictures import to_png

PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}


def png_response(picture: np.ndarray, headers: dict[str, str] | None = None) -> Response:
    return Response(to_png(picture), media_type="image/png", headers=headers)
