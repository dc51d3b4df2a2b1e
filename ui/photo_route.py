"""Photos for the browser: id -> file by the index alone, never by a path from outside."""

import anyio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core.dataset.thumbnails import SIZES, photo_jpeg
from core.errors import LabelingError
from ui.session import current

_HEADERS = {"Cache-Control": "private, max-age=86400, immutable"}


async def serve_photo(request: Request) -> Response:
    """``/api/photo/{size}/{photo_id}``: a JPEG of at most that height."""
    return await anyio.to_thread.run_sync(_photo, request.path_params["size"], request.path_params["photo_id"])


def _photo(size: int, photo_id: str) -> Response:
    if size not in SIZES:
        return PlainTextResponse(f"sizes are {', '.join(map(str, SIZES))}", status_code=404)
    try:
        desk = current()
        path = desk.path_of(photo_id)
        if path is None:
            return PlainTextResponse("no such photo in the data set", status_code=404)
        return Response(
            photo_jpeg(desk.data_dir, desk.workspace, path, size), media_type="image/jpeg", headers=_HEADERS
        )
    except LabelingError as error:
        return PlainTextResponse(str(error), status_code=404)
