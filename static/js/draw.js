// Paper to draw on. What is drawn is kept as strokes, so that it is sharp on every screen, can be
// undone, and is sent in one size. After each change the picture goes to [data-live].
(() => {
  const drawing = document.querySelector("[data-drawing]");
  if (!drawing) return;

  const SIDE = 400; // units of a stroke
  const SENT = 280; // px of the picture that is sent; the reading needs no more
  const PAPER = "#ffffff";
  const INK = "#14161b";
  const ERASER = 2; // times as wide as the pen
  const PEN_ERASER = 5; // the button number of the other end of a pen
  const NAME = "drawing";

  const find = (name) => drawing.querySelector(`[data-${name}]`);
  const live = document.querySelector("[data-live]");
  const paper = find("paper");
  const onPaper = paper.getContext("2d");
  const sheet = Object.assign(document.createElement("canvas"), { width: SENT, height: SENT });
  const onSheet = sheet.getContext("2d", { willReadFrequently: true });
  onSheet.scale(SENT / SIDE, SENT / SIDE);

  let steps = []; // strokes, and "clear"
  let undone = [];
  let stroke = null; // the one being drawn
  let tool = "pen";
  let handed = null; // the picture of what is drawn; null when there is nothing

  // A smooth line through the points from `start` on: curves between the middles of its pieces.
  function paint(context, { points, width, isEraser }, start = 0, isDone = true) {
    context.lineWidth = width;
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = context.fillStyle = isEraser ? PAPER : INK;
    const middle = (n) => [(points[n - 1][0] + points[n][0]) / 2, (points[n - 1][1] + points[n][1]) / 2];
    context.beginPath();
    if (points.length === 1) {
      context.arc(...points[0], width / 2, 0, 2 * Math.PI);
      context.fill();
      return;
    }
    const first = Math.max(1, start);
    context.moveTo(...(first === 1 ? points[0] : middle(first - 1)));
    for (let n = first; n < points.length; n += 1) {
      context.quadraticCurveTo(...points[n - 1], ...middle(n));
    }
    if (isDone) context.lineTo(...points.at(-1));
    context.stroke();
  }

  function paintAll(context) {
    context.fillStyle = PAPER;
    context.fillRect(0, 0, SIDE, SIDE);
    for (const step of steps.slice(steps.lastIndexOf("clear") + 1)) paint(context, step);
  }

  function fit() {
    const side = Math.max(1, Math.round(paper.clientWidth * devicePixelRatio));
    if (paper.width !== side) paper.width = paper.height = side;
    onPaper.setTransform(side / SIDE, 0, 0, side / SIDE, 0, 0);
    paintAll(onPaper);
    if (stroke) paint(onPaper, stroke);
  }

  function isEmpty() {
    const { buffer } = onSheet.getImageData(0, 0, SENT, SENT).data;
    return new Uint32Array(buffer).every((pixel) => pixel === 0xffffffff);
  }

  function hand(blob, hint = "") {
    handed = blob;
    live.dispatchEvent(new CustomEvent("picture", { detail: { blob, hint } }));
  }

  // What is on the sheet, at once: `toBlob` would wait until the browser has nothing else to do.
  function encode() {
    const [, base64] = sheet.toDataURL("image/png").split(",");
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return new Blob([bytes], { type: "image/png" });
  }

  // A drawing has one picture, known by its last step: done again, it is not kept a second time.
  function send() {
    const last = isClear() ? { picture: null } : steps.at(-1);
    if (last.picture === undefined) {
      paintAll(onSheet);
      last.picture = isEmpty() ? null : encode();
    }
    hand(last.picture);
  }

  // What is not kept yet outlives the page in this tab: a look at another page, signing in to keep
  // it. It comes back for the same person, or for the one whom a stranger turned out to be.
  function remember() {
    const since = steps.lastIndexOf("clear") + 1;
    const drawn = steps.slice(since).map(({ points, width, isEraser }) => ({ points, width, isEraser }));
    const isWanted = drawn.length && steps.at(-1).picture && !steps.at(-1).isKept;
    try {
      if (isWanted) sessionStorage.setItem(NAME, JSON.stringify({ person: drawing.dataset.person, drawn }));
      else sessionStorage.removeItem(NAME);
    } catch {
      // the browser keeps nothing for this site, or the drawing is too large
    }
  }

  function remembered() {
    try {
      const { person, drawn } = JSON.parse(sessionStorage.getItem(NAME));
      return person === "" || person === drawing.dataset.person ? drawn : [];
    } catch {
      return []; // there is none
    }
  }

  function enable(button, is) {
    button.setAttribute("aria-disabled", String(!is));
  }

  const isClear = () => !steps.length || steps.at(-1) === "clear";

  function change() {
    send(); // before anything that can wait
    fit();
    remember();
    enable(find("undo"), steps.length);
    enable(find("redo"), undone.length);
    enable(find("clear"), !isClear());
  }

  function add(step) {
    steps.push(step);
    undone = [];
  }

  function undo() {
    if (stroke || !steps.length) return;
    undone.push(steps.pop());
    change();
  }

  function redo() {
    if (stroke || !undone.length) return;
    steps.push(undone.pop());
    change();
  }

  function clear() {
    if (stroke || isClear()) return;
    add("clear");
    change();
  }

  function place({ clientX, clientY }) {
    const box = paper.getBoundingClientRect();
    const across = (at, start, length) => Math.round((10 * SIDE * (at - start)) / length) / 10;
    return [across(clientX, box.left, box.width), across(clientY, box.top, box.height)];
  }

  // Whether the stroke at hand has lost its end, as when a dialog of the browser took it.
  function isLeftBehind({ pointerId, pointerType, isPrimary }) {
    return pointerId === stroke.pointer || (isPrimary && pointerType === stroke.kind);
  }

  // Whether the stroke at hand is the palm, which came down before the pen.
  function isRestingHand({ pointerType }) {
    return stroke?.kind === "touch" && pointerType === "pen";
  }

  function drop() {
    stroke = null;
    fit();
  }

  // Else Chromium may take a quick stroke for a push of the page, and swallow the next tap.
  paper.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });

  paper.addEventListener("pointerdown", (event) => {
    const isEraser = tool === "eraser" || event.button === PEN_ERASER;
    if (event.button !== 0 && event.button !== PEN_ERASER) return;
    if (isRestingHand(event)) drop();
    if (stroke && !isLeftBehind(event)) return; // a second finger, or the palm below a pen
    if (stroke) end();
    event.preventDefault();
    document.activeElement?.blur(); // a key then belongs to the page, not to a button left behind
    const width = Number(find("width").value) * (isEraser ? ERASER : 1);
    stroke = { pointer: event.pointerId, kind: event.pointerType, points: [place(event)], width, isEraser };
    paint(onPaper, stroke);
  });

  // On the window: a stroke that leaves the paper goes on when it comes back.
  window.addEventListener("pointermove", (event) => {
    if (event.pointerId !== stroke?.pointer) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    const start = stroke.points.length;
    for (const move of moves.length ? moves : [event]) stroke.points.push(place(move));
    paint(onPaper, stroke, start, false);
  });

  function end() {
    add(stroke);
    stroke = null;
    change();
  }

  function lift(event) {
    if (event.pointerId === stroke?.pointer) end();
  }
  window.addEventListener("pointerup", lift);
  window.addEventListener("pointercancel", lift);

  for (const button of drawing.querySelectorAll("[data-tool]")) {
    button.addEventListener("click", () => {
      tool = button.dataset.tool;
      for (const other of drawing.querySelectorAll("[data-tool]")) {
        other.setAttribute("aria-pressed", String(other === button));
      }
    });
  }
  find("undo").addEventListener("click", undo);
  find("redo").addEventListener("click", redo);
  find("clear").addEventListener("click", clear);
  find("recognise").addEventListener("click", () => hand(handed, "Draw a digit first."));

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    const wanted = key === "y" || (key === "z" && event.shiftKey) ? redo : key === "z" ? undo : null;
    if (!wanted) return;
    event.preventDefault();
    wanted();
  });

  live.addEventListener("kept", ({ detail }) => {
    for (const step of [...steps, ...undone]) if (step.picture === detail) step.isKept = true;
    remember();
  });

  drawing.hidden = false;
  document.querySelector("[data-without-script]").hidden = true;
  new ResizeObserver(fit).observe(paper);
  window.addEventListener("resize", fit); // also when the page is zoomed
  steps = remembered();
  if (steps.length) change();
  fit();
  remember(); // or forget what was another person's
})();
