// Waiting for an element to be ready, and what is done to it. Everything that waits does so here, until it is told to stop.

const waits = new Map();
const PAUSES = [0, 20, 50, 100, 100, 500];
const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

/** What an attempt gives that is to be made again. */
const AGAIN = Symbol("again");

class Refusal {
  constructor(kind, message) {
    this.error = kind;
    this.message = message;
  }
}

/** Tries again until `attempt` gives something, the time is over (`timeout` in milliseconds; 0 is none), or somebody cancels. */
async function retry(id, timeout, attempt) {
  const log = [], wait = { isOff: false, wake: undefined };
  const say = (line) => {
    if (log.at(-1) !== line && log.length < 50) log.push(line);
  };
  const end = timeout > 0 ? performance.now() + timeout : Infinity;
  waits.set(id, wait);
  try {
    for (let tries = 0; ; tries++) {
      if (wait.isOff) return { error: "cancelled" };
      const result = await attempt(say);
      if (result instanceof Refusal) return { error: result.error, message: result.message, log };
      if (result !== undefined) return { value: result, log };
      if (performance.now() >= end) return { error: "timeout", log };
      const pause = Math.min(PAUSES[Math.min(tries, PAUSES.length - 1)], end - performance.now());
      if (pause <= 0) await nextFrame();
      else
        await new Promise((resolve) => {
          wait.wake = resolve;
          setTimeout(resolve, pause);
        });
    }
  } finally {
    waits.delete(id);
  }
}

function cancel(id) {
  const wait = waits.get(id);
  if (wait) {
    wait.isOff = true;
    wait.wake?.();
  }
}

/** The one element of a target, or `undefined` where there is none yet. */
function theOne(target, say) {
  const found = find(target.selector);
  if (found.length > 1 && target.strict) {
    const lines = found.slice(0, 10).map((element, at) => "    " + (at + 1) + ") " + describe(element));
    return new Refusal("strict", found.length + " elements match, and one is wanted:\n" + lines.join("\n") + (found.length > 10 ? "\n    …" : ""));
  }
  if (found.length === 0) {
    say("waiting for an element");
    return undefined;
  }
  return found[0];
}

/** Why an element is not as it is to be, or `undefined`. */
function whyNot(element, states) {
  for (const state of states) {
    if (state === "visible" && !isVisible(element)) return "the element is not visible";
    if (state === "enabled" && isDisabled(element)) return "the element is not enabled";
    if (state === "editable" && isReadOnly(element)) return "the element is read-only";
  }
  return undefined;
}

/** Waits for an element that is as it is to be, and does something with it at once. */
async function withElement(id, target, states, act) {
  const result = await retry(id, target.timeout, async (say) => {
    const element = theOne(target, say);
    if (element instanceof Refusal) return element;
    if (element === undefined) return goneOf(target.selector);
    say("found " + describe(element));
    const why = target.force ? undefined : whyNot(element, states);
    if (why !== undefined) {
      say(why);
      return undefined;
    }
    const done = await act(element, say);
    return done === AGAIN ? undefined : done;
  });
  if (result.error === "timeout") result.log.push(...hintsFor(target));
  return result;
}

/** An element that was pointed at and is gone does not come again. */
function goneOf(selector) {
  const gone = selector.find((part) => part.by === "reference" && isGone(part.reference));
  return gone && new Refusal("invalid", "the element " + gone.reference + " is not in the document (any more): find it anew, or take another snapshot");
}

const hintsFor = (target) => (find(target.selector).length === 0 ? hints(target.selector) : []);

// ---- the mouse --------------------------------------------------------------------------------------------------------------------------

/** Whether something that moves the element is under way, and will be over. */
const isAnimated = (element) =>
  document.getAnimations().some((animation) => {
    const target = animation.effect?.target;
    return animation.playState === "running" && target && isInside(element, target) && animation.effect.getComputedTiming().activeDuration !== Infinity;
  });

function elementAt(x, y) {
  let element = document.elementFromPoint(x, y);
  while (element?.shadowRoot) {
    const inner = element.shadowRoot.elementFromPoint(x, y);
    if (!inner || inner === element) break;
    element = inner;
  }
  return element;
}

/** Whether a hit on one element is a hit on the other: one inside of it, or its label. */
function hits(hit, target) {
  if (isInside(hit, target)) return true;
  const label = hit.closest?.("label");
  return Boolean(label && label.control && isInside(label.control, target));
}

const sameBox = (a, b) => a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;

/** Brings an element to where the mouse can hit it. Gives the place, in this frame's coordinates. */
async function place(element, target, position, say) {
  if (!target.force && isAnimated(element)) {
    say("the element is moving");
    await nextFrame();
    return undefined;
  }
  let box = element.getBoundingClientRect();
  if (box.top < 0 || box.left < 0 || box.bottom > innerHeight || box.right > innerWidth || !hits(elementAt(box.x + box.width / 2, box.y + box.height / 2) ?? document, element)) {
    element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  }
  if (!target.force) {
    const before = element.getBoundingClientRect();
    await nextFrame();
    if (!element.isConnected) {
      say("the element was removed");
      return undefined;
    }
    box = element.getBoundingClientRect();
    if (!sameBox(before, box)) {
      say("the element is moving");
      return undefined;
    }
  } else box = element.getBoundingClientRect();
  const line = element.getClientRects()[0] ?? box;
  const middle = (from, to, most) => (Math.max(from, 0) + Math.min(to, most)) / 2;
  const x = position ? box.x + position.x : middle(line.left, line.right, innerWidth);
  const y = position ? box.y + position.y : middle(line.top, line.bottom, innerHeight);
  if (!target.force) {
    if (x < 0 || y < 0 || x > innerWidth || y > innerHeight) {
      say("the element is outside of the viewport");
      return undefined;
    }
    const hit = elementAt(x, y);
    if (!hit || !hits(hit, element)) {
      say((hit ? describe(hit) : "nothing") + " covers the element");
      return undefined;
    }
  }
  return { x, y };
}

const GUARDED = ["pointerdown", "mousedown", "pointerup", "mouseup", "click", "auxclick", "dblclick", "contextmenu"];
let guard;

/** From here until the verdict, events of the mouse that would hit something else are swallowed. */
function watchFor(target, isForced) {
  unwatch();
  const watching = { hit: undefined };
  watching.on = (event) => {
    if (!event.isTrusted) return;
    const hit = event.composedPath()[0];
    if (watching.hit === undefined) watching.hit = hit instanceof Element && hits(hit, target) ? true : describe(hit instanceof Element ? hit : document.documentElement);
    if (watching.hit !== true && !isForced) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  };
  for (const type of GUARDED) addEventListener(type, watching.on, { capture: true, passive: false });
  guard = watching;
}

function unwatch() {
  if (guard) for (const type of GUARDED) removeEventListener(type, guard.on, { capture: true });
  guard = undefined;
}

/** What the mouse has hit, asked for when it is up: `true`, or what was in the way. */
function verdict() {
  const watching = guard;
  unwatch();
  return watching?.hit ?? true;
}

// ---- what is done in the page alone -----------------------------------------------------------------------------------------------------

const announce = (element, type) => element.dispatchEvent(new Event(type, { bubbles: true, composed: type === "input" }));

function setValue(element, value) {
  const prototype = element instanceof HTMLTextAreaElement ? HTMLTextAreaElement.prototype : element instanceof HTMLSelectElement ? HTMLSelectElement.prototype : HTMLInputElement.prototype;
  Object.getOwnPropertyDescriptor(prototype, "value").set.call(element, value);
}

const NOT_TEXT = new Set(["button", "checkbox", "file", "hidden", "image", "radio", "reset", "submit"]);
const SET_WHOLE = new Set(["color", "date", "datetime-local", "month", "range", "time", "week"]);

/** What a label is for, or the element itself. */
const retarget = (element) => (element.tagName === "LABEL" && element.control ? element.control : (element.closest("button,[role=button],a,input,textarea,select,[contenteditable]") ?? element.closest("label")?.control ?? element));

function fill(element, value) {
  element = element.tagName === "LABEL" && element.control ? element.control : element;
  if (element.isContentEditable) {
    element.focus();
    getSelection().selectAllChildren(element);
    if (value === "") document.execCommand("delete");
    else document.execCommand("insertText", false, value);
    return null;
  }
  if (element.tagName === "SELECT") return new Refusal("invalid", "a <select> is set by selectOption");
  if (element.tagName === "INPUT" && NOT_TEXT.has(element.type)) return new Refusal("invalid", 'an input of type "' + element.type + '" cannot be filled');
  if (!["INPUT", "TEXTAREA"].includes(element.tagName)) return new Refusal("invalid", "the element is no <input>, <textarea> or [contenteditable]");
  if (element.tagName === "INPUT" && element.type === "number" && value !== "" && Number.isNaN(Number(value))) return new Refusal("invalid", "text cannot be typed into an input of type number");
  element.focus();
  if (element.tagName === "INPUT" && SET_WHOLE.has(element.type)) {
    const before = element.value, wanted = value.trim();
    setValue(element, wanted);
    if (element.value !== (element.type === "color" ? wanted.toLowerCase() : wanted)) {
      setValue(element, before);
      return new Refusal("invalid", JSON.stringify(value) + " is no value of an input of type " + element.type);
    }
    announce(element, "input");
    announce(element, "change");
    return null;
  }
  // As a person edits it, so that leaving it is a change.
  element.select();
  const isDone = value === "" ? element.value === "" || document.execCommand("delete") : document.execCommand("insertText", false, value);
  if (!isDone) {
    setValue(element, value);
    announce(element, "input");
    announce(element, "change");
  }
  return null;
}

function choose(element, wanted, say) {
  element = element.tagName === "LABEL" && element.control ? element.control : element;
  if (element.tagName !== "SELECT") return new Refusal("invalid", "the element is no <select>");
  const options = [...element.options], chosen = [];
  for (const choice of wanted) {
    const option = options.find((candidate, at) =>
      choice.any !== undefined
        ? candidate.value === choice.any || squeeze(candidate.label) === squeeze(choice.any)
        : (choice.value === undefined || candidate.value === choice.value) && (choice.label === undefined || squeeze(candidate.label) === squeeze(choice.label)) && (choice.index === undefined || at === choice.index),
    );
    if (!option) {
      say("no option is " + JSON.stringify(choice.any ?? choice) + ": there are " + options.slice(0, 10).map((each) => JSON.stringify(squeeze(each.label))).join(", "));
      return undefined;
    }
    if (isDisabled(option)) {
      say("the option is not enabled");
      return undefined;
    }
    chosen.push(option);
    if (!element.multiple) break;
  }
  element.focus();
  for (const option of options) option.selected = chosen.includes(option);
  announce(element, "input");
  announce(element, "change");
  return chosen.map((option) => option.value);
}

function attach(element, files) {
  element = element.tagName === "LABEL" && element.control ? element.control : element;
  if (element.tagName !== "INPUT" || element.type !== "file") return new Refusal("invalid", "the element is no <input type=file>");
  if (files.length > 1 && !element.multiple) return new Refusal("invalid", "the input takes one file");
  const transfer = new DataTransfer();
  for (const { name, mimeType, data } of files) {
    const bytes = Uint8Array.from(atob(data), (unit) => unit.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type: mimeType }));
  }
  element.files = transfer.files;
  announce(element, "input");
  announce(element, "change");
  return null;
}

const EVENT_KINDS = [
  [/^(auxclick|click|dblclick|mouse)/, MouseEvent], [/^pointer/, PointerEvent], [/^key/, KeyboardEvent], [/^(blur|focus)/, FocusEvent], [/^drag|^drop/, DragEvent], [/^(beforeinput|input)$/, InputEvent],
  [/^wheel/, WheelEvent], [/^touch/, TouchEvent],
];
function dispatch(element, type, init) {
  const [, Kind] = EVENT_KINDS.find(([expression]) => expression.test(type)) ?? [null, Event];
  element.dispatchEvent(new Kind(type, { bubbles: true, cancelable: true, composed: true, ...init }));
  return null;
}

function selectAll(element) {
  if (element.tagName === "LABEL" && element.control) element = element.control;
  element.focus();
  if (typeof element.select === "function") element.select();
  else getSelection().selectAllChildren(element);
  return null;
}

const VERBS = {
  focus: (element) => (element.focus(), null),
  blur: (element) => (element.blur(), null),
  scroll: (element) => (element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" }), null),
  select: selectAll,
};

const act = {
  /** Waits until the mouse can hit the element, and watches what it will. */
  ready: (id, target, { position, isHover }) =>
    withElement(id, target, isHover ? ["visible"] : ["visible", "enabled"], async (element, say) => {
      const at = await place(element, target, position, say);
      if (at === undefined) return AGAIN;
      watchFor(element, target.force);
      return { ...at, isDraggable: element.closest("[draggable=true],a[href],img") !== null };
    }),
  verdict,
  fill: (id, target, { value }) => withElement(id, target, ["visible", "enabled", "editable"], (element) => fill(element, value)),
  choose: (id, target, { options }) => withElement(id, target, ["visible", "enabled"], (element, say) => choose(element, options, say) ?? AGAIN),
  attach: (id, target, { files }) => withElement(id, target, [], (element) => attach(element, files)),
  verb: (id, target, { verb }) => withElement(id, target, verb === "select" ? ["visible"] : [], (element) => VERBS[verb](element)),
  dispatch: (id, target, { type, init }) => withElement(id, target, [], (element) => dispatch(element, type, init ?? {})),
  /** How a checkbox or a radio button stands, before and after it is clicked. */
  checked: (id, target) =>
    withElement(id, target, [], (element) => {
      const control = element.tagName === "LABEL" && element.control ? element.control : element;
      const isOne = (control.tagName === "INPUT" && ["checkbox", "radio"].includes(control.type)) || CHECKABLE.has(roleOf(control));
      return isOne ? { checked: checkedOf(control) === true, isRadio: control.type === "radio" || roleOf(control) === "radio" } : new Refusal("invalid", "the element is no checkbox and no radio button");
    }),
};
