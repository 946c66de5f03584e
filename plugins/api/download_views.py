"""An artifact's bytes over HTTP: from the storage itself, or from here, whole or a part."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from typing import Any

from django.core.files import File
from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from hotswap.lib.api.errors import problem_response
from hotswap.lib.api.problems import Problem
from hotswap.lib.api.ranges import RangeNotSatisfiableError, Span, wanted_span
from plugins.api.permissions import CanRegisterPlugins
from plugins.models import PluginVersion
from plugins.storage import ArtifactStore, ArtifactTamperedError

CHUNK_BYTES = 256 * 1024
CONTENT_TYPE = "application/zip"
_RANGE = OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range of bytes.")
_IF_RANGE = OpenApiParameter("If-Range", str, OpenApiParameter.HEADER)


class DownloadView(APIView):
    """GET and HEAD; every answer says the sha256 of the whole artifact."""

    permission_classes = [CanRegisterPlugins]

    @extend_schema(
        operation_id="plugins_versions_download_retrieve",
        parameters=[_RANGE, _IF_RANGE],
        responses={
            (200, CONTENT_TYPE): OpenApiTypes.BINARY,
            (206, CONTENT_TYPE): OpenApiTypes.BINARY,
            302: OpenApiResponse(description="To a presigned address of the artifact."),
            304: OpenApiResponse(description="You have it: the ETag is its sha256."),
            416: OpenApiResponse(description="The artifact has no such bytes."),
        },
    )
    def get(self, request: Request, plugin_name: str, version: str) -> HttpResponseBase:
        rows = PluginVersion.objects.select_related("plugin")
        row = get_object_or_404(rows, plugin__name=plugin_name, version=version)
        response = _answer(request, row)
        for name, value in _described(row).items():
            response[name] = value
        return response


def _answer(request: Request, row: PluginVersion) -> HttpResponseBase:
    etag = f'"{row.artifact_digest}"'
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if {etag, f"W/{etag}", "*"} & set(known):
        return HttpResponse(status=304)
    store = ArtifactStore()
    if request.method == "HEAD":
        # An address is signed for one method, and nobody needs the bytes for this.
        return _headed(HttpResponse(content_type=CONTENT_TYPE), row, row.artifact_bytes)
    address = store.url(row.artifact_digest)
    if address:
        return HttpResponseRedirect(address)
    try:
        span = wanted_span(request.headers, row.artifact_bytes, etag)
    except RangeNotSatisfiableError as error:
        refusal = problem_response(Problem(416, "range_not_satisfiable", str(error)))
        refusal["Content-Range"] = f"bytes */{row.artifact_bytes}"
        return refusal
    return _stream(store, row, span)


def _stream(store: ArtifactStore, row: PluginVersion, span: Span | None) -> HttpResponseBase:
    with ExitStack() as stack:
        file = stack.enter_context(store.open(row.artifact_digest))
        # Opened before the headers go out, closed with the response.
        close = stack.pop_all().close
    chunks = _part(file, span) if span else _whole(file, row.artifact_digest)
    response = StreamingHttpResponse(chunks, content_type=CONTENT_TYPE, status=206 if span else 200)
    response._resource_closers.append(close)  # type: ignore[attr-defined]
    if span:
        response["Content-Range"] = f"bytes {span.first}-{span.last}/{row.artifact_bytes}"
    return _headed(response, row, span.length if span else row.artifact_bytes)


def _headed(response: Any, row: PluginVersion, length: int) -> HttpResponseBase:
    response["Content-Length"] = str(length)
    name = f"{row.plugin.name}-{row.version}.zip"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _described(row: PluginVersion) -> dict[str, str]:
    digest = b64encode(bytes.fromhex(row.artifact_digest)).decode()
    return {
        "Digest": f"sha-256={digest}",
        "Repr-Digest": f"sha-256=:{digest}:",
        "ETag": f'"{row.artifact_digest}"',
        "Accept-Ranges": "bytes",
    }


def _whole(file: "File[bytes]", expected: str) -> Iterator[bytes]:
    """The last piece goes out only when all of them have the digest: else the answer breaks off."""
    digest, held = sha256(), b""
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
        if held:
            yield held
        held = chunk
    if digest.hexdigest() != expected:
        raise ArtifactTamperedError(
            f"What is stored as artifact {expected} has another sha256: its download was broken "
            "off. Upload the version again under a new number."
        )
    yield held


def _part(file: "File[bytes]", span: Span) -> Iterator[bytes]:
    file.seek(span.first)
    left = span.length
    while left and (chunk := file.read(min(CHUNK_BYTES, left))):
        left -= len(chunk)
        yield chunk
