"""The Studio tab: a photoreal finish of any sneaker, for those who can wait for it."""

import zlib
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from time import monotonic

import gradio as gr

from isneaker import catalogue
from isneaker.design import MAX_PROMPT, MAX_SEED, MAX_STEPS, MIN_STRENGTH, Design, DesignError, Finish
from isneaker.images import to_png
from isneaker.render import render, render_large
from isneaker.studio import engine, files
from isneaker.studio.prompt import subject_of
from isneaker.studio.setup import StudioUnavailable, configured
from isneaker.tokens import to_token
from isneaker.ui import share

QUEUE = {"concurrency_id": "studio", "concurrency_limit": 1}  # one picture at a time, beside the fast ones
EMPTY = "Press **Studio** below a sneaker to bring it here."
FAST = "This is the fast picture. Press **Finish** for the one you can wait for."
STOPPED = "Stopped. This is the fast picture."
_stops: dict[str, Event] = {}  # of running finishes, by session


class Stopped(Exception):
    """The visitor has pressed Stop, or left."""


# --- what the widgets call ---


def start_from(design: Design, request: gr.Request | None) -> tuple:
    """Put a Design on the tab: its fast picture, and its finish's controls if it has one, which is then made if its models
    are here already."""
    plain, wanted = replace(design, finish=None), design.finish
    token, link, message, picture = share.shown(plain, request)
    info = f"It is told of {subject_of(plain, picture)}; add what you like."
    if not wanted:
        return gr.Textbox(info=info), *[gr.skip()] * 3, "", token, link, message or FAST, picture
    problem = _problem(wanted)
    controls = gr.Textbox(wanted.prompt, info=info), wanted.strength, wanted.steps, wanted.seed
    token = to_token(design)
    link, warning = share.link_to(token, request)
    todo = "" if problem else f"{token} {monotonic()}"
    return *controls, todo, token, link, message or problem or warning, picture


def receive(token: str, request: gr.Request) -> tuple:
    """Another tab sends its sneaker: this tab is shown."""
    if not token:
        raise gr.Error("There is no sneaker yet.")
    return gr.Tabs(selected="studio"), *start_from(share.open_token(token, Design()), request)


def finish(token: str, prompt, strength, steps, seed, request: gr.Request, progress=gr.Progress()) -> share.Shown:
    """The button was pressed: the sneaker with a finish by the controls' values."""
    if not token:
        raise gr.Error("Bring a sneaker here first.")
    try:
        design = replace(share.open_token(token, Design()), finish=finish_by(prompt, strength, steps, seed))
    except (DesignError, StudioUnavailable) as error:
        raise _said(error) from None
    return _finished(design, request, progress)


def finish_opened(todo: str, request: gr.Request, progress=gr.Progress()):
    """A link or favourite with a finish was opened: make it, if that takes no fetching."""
    if not todo:
        return [gr.skip()] * 4
    try:
        missing = any(part.missing() for part in engine.parts_of(configured()))
    except StudioUnavailable as error:
        return gr.skip(), gr.skip(), f"Sorry, {error}. This is the fast picture.", gr.skip()
    if missing:
        return gr.skip(), gr.skip(), FAST, gr.skip()
    return _finished(share.open_token(todo.split()[0], Design(), finished=True), request, progress)


def large(token: str, request: gr.Request, progress=gr.Progress()) -> tuple:
    """The finished picture at twice the size -> a PNG file that carries its Design, a word."""
    design = _opened(token)
    if not design.finish:
        raise gr.Error("Finish it first: only a finished picture has the detail for its double size.")
    try:
        picture = _stoppable(lambda tell: render_large(design, tell), request, progress)
    except (Stopped, catalogue.WeightsUnavailable) as error:
        raise _said(error) from None
    return share.offer(f"isneaker-{zlib.crc32(token.encode()):08x}-large.png", to_png(picture, token))


def png(token: str) -> str:
    """The picture as a PNG file that carries its Design -> its path."""
    design = _opened(token)
    try:
        picture = render(design)
    except catalogue.WeightsUnavailable as error:
        raise _said(error) from None
    return share.offer(f"isneaker-{zlib.crc32(token.encode()):08x}.png", to_png(picture, token))


def stop(request: gr.Request) -> str:
    """Let the session's run end at its next word -> a message."""
    stopped = _stops.pop(request.session_hash, None)
    if stopped:
        stopped.set()
    return STOPPED if stopped else ""


def leave(request: gr.Request) -> None:
    """The visitor has gone: so need nobody wait for what was to be theirs."""
    stop(request)


def about() -> str:
    """What a finish is made with, what it fetches first, and how long it takes."""
    try:
        setup = configured()
        parts = engine.parts_of(setup)
    except StudioUnavailable as error:
        return f"Sorry, {error}."
    missing = sum(part.files[name][0] for part in parts for name in part.missing())
    made = ", ".join(
        f"[{part.pin.repo}](https://huggingface.co/{part.pin.repo}) (licence: {part.licence})" for part in parts
    )
    first = f"The first one fetches {files.size_of(missing)} and keeps them here. " if missing else ""
    return f"{first}A finish takes {engine.expected()}. Made with {made}."


# --- how ---


def finish_by(prompt, strength, steps, seed) -> Finish:
    """Values of the controls, numbers clamped. Raises DesignError, StudioUnavailable."""
    return Finish(
        configured().name,
        share.number(strength, MIN_STRENGTH, 1, "strength"),
        int(share.number(steps, 1, MAX_STEPS, "number of steps")),
        int(share.number(seed, 0, MAX_SEED, "seed")),
        " ".join(str(prompt or "").split()),
    )


def _problem(wanted: Finish) -> str:
    """A word where a finish that was opened can't be made here."""
    try:
        if wanted.model == configured().name:
            return ""
    except StudioUnavailable as error:
        return f"Sorry, {error}. This is the fast picture."
    return f"Sorry, this was finished by {wanted.model}, which is not set up here. {FAST}"


def _finished(design: Design, request: gr.Request, progress: gr.Progress) -> share.Shown:
    """A Design with a finish -> token, link, message, picture; the fast picture where there is none to be had."""
    token = to_token(design)
    try:
        picture = _stoppable(lambda tell: render(design, tell), request, progress)
        return token, *share.link_to(token, request), picture
    except Stopped:
        message = STOPPED
    except catalogue.WeightsUnavailable as error:
        message = f"Sorry, {error}. This is the fast picture."
    token, link, _, picture = share.shown(replace(design, finish=None), request)
    return token, link, message, picture


def _stoppable(make: Callable, request: gr.Request, progress: gr.Progress):
    """What `make` makes, telling how far it is. Raises Stopped when the session wants that."""
    stopped = _stops[request.session_hash] = Event()

    def tell(share: float, what: str) -> None:
        if stopped.is_set():
            raise Stopped
        progress(share, what)

    try:
        return make(tell)
    finally:
        if _stops.get(request.session_hash) is stopped:
            del _stops[request.session_hash]


def _said(error: Exception) -> gr.Error:
    text = str(error) or "stopped"
    return gr.Error(f"{text[0].upper()}{text[1:]}.")


def _opened(token: str) -> Design:
    if not token:
        raise gr.Error("There is no sneaker yet.")
    return share.open_token(token, Design(), finished=True)


# --- the widgets ---


def build(page: gr.Blocks, tab: gr.Tab) -> tuple[share.Tab, gr.Button, Callable]:
    """Add the tab's widgets to the page and connect them -> the tab, the button that opens its sneaker where it can be
    changed, and `take(button, token, tabs)`, which lets a button send its sneaker here."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            picture, message = share.show_picture("studio-", EMPTY)
            with gr.Row(elem_classes="actions"):
                go = gr.Button("Finish", variant="primary", min_width=72, elem_id="studio-finish")
                halt = gr.Button("Stop", min_width=72, elem_id="studio-stop")
        with gr.Column(min_width=280):
            prompt = gr.Textbox(
                label="In your own words", placeholder="suede, gum sole, night rain", max_length=MAX_PROMPT,
                elem_id="studio-prompt",
            )  # fmt: skip
            strength = gr.Slider(
                MIN_STRENGTH, 1, Finish.strength, step=0.05, label="As it is … all new", elem_id="studio-strength"
            )
            with gr.Row():
                steps = gr.Slider(1, MAX_STEPS, Finish.steps, step=1, label="Steps", elem_id="studio-steps")
                seed = gr.Number(
                    0, label="Seed", precision=0, minimum=0, maximum=MAX_SEED, min_width=90, elem_id="studio-seed"
                )
            keep, (change, send, double) = share.share_row(
                picture, message, "studio-", ["Change", "Combine", "Enlarge"], save_png=png, queue=QUEUE
            )
            told = gr.Markdown(elem_id="studio-about", elem_classes="message")
    todo, file = gr.Textbox(visible="hidden"), gr.DownloadButton(visible="hidden", elem_id="studio-large-file")

    controls, calm = [prompt, strength, steps, seed], {**share.RENDER, **share.PRIVATE}
    everything = [*controls, todo, *keep.outputs]
    slow = {**QUEUE, **share.PRIVATE, "show_progress": "full", "show_progress_on": picture}
    runs = [
        gr.on([go.click, prompt.submit], finish, [keep.token, *controls], keep.outputs, trigger_mode="once", **slow),
        todo.change(finish_opened, todo, keep.outputs, **slow),
        double.click(large, keep.token, file, **slow),
    ]
    runs[2].success(None, js=share.SAVE.format("studio-large-file"))
    halt.click(stop, None, message, cancels=runs, queue=False, show_progress="hidden", **share.PRIVATE)
    page.unload(leave)
    for event in (tab.select, *(run.then for run in runs[:2])):
        event(about, None, told, show_progress="hidden", **share.PRIVATE)

    def take(button: gr.Button, token: gr.Textbox, tabs: gr.Tabs) -> None:
        button.click(receive, token, [tabs, *everything], **calm).then(
            about, None, told, show_progress="hidden", **share.PRIVATE
        )

    return share.Tab("studio", start_from, everything, lambda event: None, keep, send), change, take
