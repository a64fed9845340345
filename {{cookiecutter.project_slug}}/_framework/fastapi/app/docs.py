"""The page that shows the API description, and what `/` answers."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from app import __version__

router = APIRouter(include_in_schema=False)
PAGE = Path(__file__).with_name("docs.html").read_text(encoding="utf-8")


@router.get("/docs")
async def get_docs() -> HTMLResponse:
    """Show the API description in Swagger UI."""
    return HTMLResponse(PAGE)


@router.get("/")
async def get_root(request: Request) -> Response:
    """Redirect to /docs in development; in production, name the service."""
    if request.app.state.settings.environment == "development":
        return RedirectResponse(request.url_for("get_docs").path)
    return JSONResponse({"name": request.app.title, "version": __version__})
