"""The points of a map for the browser, once: small arrays of numbers, behind the gate like everything else."""

import gzip

import anyio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core.errors import LabelingError
from ui.map_data import map_part

_HEADERS = {"Cache-Control": "private, max-age=86400, immutable", "Vary": "Accept-Encoding"}


async def serve_map(request: Request) -> Response:
    """``/api/map/{run_id}/{part}?grouping=&v=``: a part of ``map_data.map_part``; another ``v`` is fetched anew."""
    run_id, part = request.path_params["run_id"], request.path_params["part"]
    grouping = request.query_params.get("grouping", "")
    takes_gzip = "gzip" in request.headers.get("accept-encoding", "")
    return await anyio.to_thread.run_sync(_part, run_id, part, grouping, takes_gzip)


def _part(run_id: str, part: str, grouping: str, takes_gzip: bool) -> Response:
    try:
        content = map_part(run_id, part, grouping)
    except LabelingError as error:
        return PlainTextResponse(str(error), status_code=404)
    if content is None:
        return PlainTextResponse("no such part of a map", status_code=404)
    kind = "text/plain; charset=utf-8" if part == "ids" else "application/octet-stream"
    if not takes_gzip:
        return Response(content, media_type=kind, headers=_HEADERS)
    packed = gzip.compress(content, compresslevel=4, mtime=0)
    return Response(packed, media_type=kind, headers=_HEADERS | {"Content-Encoding": "gzip"})
