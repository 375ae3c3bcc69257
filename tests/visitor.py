"""A person at the page, in a real browser."""

import io
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image

from isneaker.design import Design
from isneaker.tokens import from_token

DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


class Visitor:
    """What a person does on a tab of the page, and sees; `tab` is what its widgets' names begin with."""

    def __init__(self, browser, url: str, device: dict, tab: str = "", ready: str = "#variants img:nth-of-type(1)"):
        self.tab = tab
        self.context = browser.new_context(**device, permissions=["clipboard-read", "clipboard-write"])
        self.page = self.context.new_page()
        self.page.goto(url)
        self.page.wait_for_selector(ready, timeout=60_000)
        self.page.wait_for_timeout(800)

    def source(self) -> str:
        """The address of the picture; of the second one of a slider, which is what was made."""
        return self.page.locator(f"#{self.tab}picture img").last.get_attribute("src")

    def picture(self) -> np.ndarray:
        data = self.context.request.get(self.source()).body()
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int)

    def changes(self, action) -> np.ndarray:
        """Do something and wait until the picture is another."""
        before = self.source()
        action()
        other = f"s => [...document.querySelectorAll('#{self.tab}picture img')].at(-1).getAttribute('src') != s"
        self.page.wait_for_function(other, arg=before, timeout=30_000)
        self.page.wait_for_timeout(300)
        return self.picture()

    def link(self) -> str:
        self.page.wait_for_timeout(300)
        return self.page.locator(f"#{self.tab}link textarea, #{self.tab}link input").first.input_value()

    def design(self) -> Design:
        return from_token(parse_qs(urlsplit(self.link()).query)["d"][0])

    def stroke(self, *points: tuple[float, float]) -> None:
        """Draw with the mouse; points as shares of the pad."""
        box = self.page.locator("#pad canvas").first.bounding_box()
        places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=6)
        self.page.mouse.up()

    def touch_stroke(self, *points: tuple[float, float]) -> None:
        """Draw with a finger."""
        box = self.page.locator("#pad canvas").first.bounding_box()
        session = self.context.new_cdp_session(self.page)
        for i, (x, y) in enumerate(points):
            place = {"x": box["x"] + box["width"] * x, "y": box["y"] + box["height"] * y}
            kind = "touchStart" if i == 0 else "touchMove"
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
            self.page.wait_for_timeout(30)
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
