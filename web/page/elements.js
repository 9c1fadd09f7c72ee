// What every part of the page needs: elements, numbers as text, colours of the theme, canvases as sharp as the screen.
"use strict";

const byId = (id) => document.getElementById(id);

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

const drawn = (name, attributes = {}, ...children) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

const thousands = (value) => Math.round(value).toLocaleString("en");

const counted = (count, name, names = `${name}s`) => `${thousands(count)} ${count === 1 ? name : names}`;

const shared = (share) => (share >= 0.1 ? `${Math.round(100 * share)} %` : `${told(100 * share)} %`);

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const COLOURS = 10;

const channelsOf = (name) => {
  const digits = colour(name).slice(1);
  const full = digits.length === 3 ? [...digits].map((digit) => digit + digit).join("") : digits;
  return [0, 2, 4].map((at) => parseInt(full.slice(at, at + 2), 16));
};

// A canvas as wide as its place and `height` high, or as high as its style says, in the pixels of the screen.
const sharp = (canvas, height = null) => {
  if (height !== null) canvas.style.height = `${height}px`;
  const { clientWidth: width, clientHeight } = canvas;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(clientHeight * ratio));
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height: clientHeight };
};

// Painters run once a frame at most, however often they are asked for; with reduced motion once a second.
const painting = { painters: new Set(), due: new Set(), isAwaited: false };
const paintAll = () => {
  painting.isAwaited = false;
  const due = [...painting.due];
  painting.due.clear();
  for (const painter of due) painter();
};
const repaint = (...painters) => {
  for (const painter of painters) painting.due.add(painter);
  if (painting.isAwaited) return;
  painting.isAwaited = true;
  requestAnimationFrame(paintAll);
};
const paintCalmly = (painter) => {
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) return repaint(painter);
  if (painter.isWaiting) return;
  painter.isWaiting = true;
  setTimeout(() => { painter.isWaiting = false; repaint(painter); }, 1000);
};

// What must be painted anew when the page changes its width or its colours.
const keepPainted = (...painters) => painters.forEach((painter) => painting.painters.add(painter));
const watchTheme = () => {
  const anew = () => repaint(...painting.painters);
  let width = window.innerWidth;
  new ResizeObserver(() => {
    // The height changes whenever a section is filled, which moves nothing that is painted.
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    anew();
  }).observe(document.documentElement);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", anew);
};

// Runs `action` once at a time. A call while it runs makes it run once more afterwards, with the newest arguments.
function coalesced(action) {
  let isBusy = false, next = null;
  return async function call(...given) {
    if (isBusy) { next = given; return; }
    isBusy = true;
    try {
      await action(...given);
    } catch (error) {
      // A worker that was restarted answers nothing, which its recovery tells.
      if (!error.isRestart) say(error.message, true);
    } finally {
      isBusy = false;
    }
    if (next) { const latest = next; next = null; call(...latest); }
  };
}

const showIf = (isShown, ...ids) => ids.forEach((id) => { byId(id).hidden = !isShown; });
