// A drawing pad on a plain 2D canvas. Its value is the drawing as a PNG data URL. "input" fires while the pen moves,
// "release" when a step is done.
const canvas = element.querySelector("canvas");
const context = canvas.getContext("2d", { willReadFrequently: true });
const done = [], undone = [];
const HISTORY = 40, LIVE = 300; // steps kept; milliseconds between pictures while the pen moves
let pen = props.pens[0], erasing = false, last = null, shown = null, sent = 0;

const snapshot = () => context.getImageData(0, 0, canvas.width, canvas.height);

function send(event = "release") {
  shown = canvas.toDataURL("image/png");
  sent = performance.now();
  props.value = shown;
  trigger(event);
}

function remember() {
  done.push(snapshot());
  if (done.length > HISTORY) done.shift();
  undone.length = 0;
}

function step(from, to) {
  if (!from.length) return;
  to.push(snapshot());
  context.putImageData(from.pop(), 0, 0);
  send();
}

function paper() {
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
}

function put(source, then) {
  const picture = new Image();
  picture.onload = () => {
    const scale = Math.min(canvas.width / picture.width, canvas.height / picture.height);
    const [w, h] = [picture.width * scale, picture.height * scale];
    paper();
    context.drawImage(picture, (canvas.width - w) / 2, (canvas.height - h) / 2, w, h);
    then?.();
  };
  picture.src = source;
}

function trace(file) {
  if (!file?.type.startsWith("image/")) return;
  remember();
  put(URL.createObjectURL(file), () => send());
}

function place(event) {
  const box = canvas.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
}

function line(from, to) {
  context.strokeStyle = erasing ? "#fff" : pen;
  context.lineWidth = erasing ? 20 : pen === props.pens[0] ? 3 : 14; // black is a line, colours are scribbled
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

canvas.addEventListener("pointerdown", (event) => {
  if (!event.isPrimary || event.button) return;
  canvas.setPointerCapture(event.pointerId);
  remember();
  sent = performance.now();
  last = place(event);
  line(last, last);
});
canvas.addEventListener("pointermove", (event) => {
  if (!last || !event.isPrimary) return;
  for (const moved of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]) {
    const next = place(moved);
    line(last, next);
    last = next;
  }
  if (performance.now() - sent > LIVE) send("input");
});
for (const kind of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(kind, () => {
    if (!last) return;
    last = null;
    send();
  });
}

function choose(button) {
  element.querySelectorAll(".chosen").forEach((other) => other.classList.remove("chosen"));
  button.classList.add("chosen");
}

for (const colour of props.pens) {
  const button = document.createElement("button");
  button.type = "button";
  button.style.background = colour;
  button.title = colour === props.pens[0] ? "Line" : "Colour";
  button.setAttribute("aria-label", `Pen ${colour}`);
  button.onclick = () => {
    [pen, erasing] = [colour, false];
    choose(button);
  };
  element.querySelector(".pens").append(button);
}
choose(element.querySelector(".pens button"));

element.querySelector("[data-tool=eraser]").onclick = (event) => {
  erasing = true;
  choose(event.currentTarget);
};
element.querySelector("[data-tool=undo]").onclick = () => step(done, undone);
element.querySelector("[data-tool=redo]").onclick = () => step(undone, done);
element.querySelector("[data-tool=clear]").onclick = () => {
  remember();
  paper();
  send();
};
element.querySelector("input[type=file]").onchange = (event) => {
  trace(event.target.files[0]);
  event.target.value = "";
};
document.addEventListener("paste", (event) => trace([...(event.clipboardData?.files ?? [])][0]));
canvas.addEventListener("dragover", (event) => event.preventDefault());
canvas.addEventListener("drop", (event) => {
  event.preventDefault();
  trace(event.dataTransfer.files[0]);
});

// The page put another drawing here: a link, a PNG, an outline.
const show = () => {
  if (props.value && props.value !== shown) put((shown = props.value));
};
paper();
watch("value", show);
show();
