// What is asked of elements, and what is expected of them.

const ofControl = (element) => (element.tagName === "LABEL" && element.control ? element.control : element);

const READERS = {
  textContent: (element) => element.textContent,
  innerText: (element) => (element instanceof HTMLElement ? element.innerText : new Refusal("invalid", "the element is no HTML element")),
  innerHTML: (element) => element.innerHTML,
  inputValue: (element) => {
    const control = ofControl(element);
    return ["INPUT", "SELECT", "TEXTAREA"].includes(control.tagName) ? control.value : new Refusal("invalid", "the element is no <input>, <textarea> or <select>");
  },
  attribute: (element, name) => element.getAttribute(name),
  enabled: (element) => !isDisabled(element),
  disabled: (element) => isDisabled(element),
  editable: (element) => (isEditableKind(element) || element.hasAttribute("aria-readonly") ? !isDisabled(element) && !isReadOnly(element) : new Refusal("invalid", "the element is no <input>, <textarea>, <select> or [contenteditable]")),
  checked: (element) => {
    const control = ofControl(element);
    const isOne = (control.tagName === "INPUT" && ["checkbox", "radio"].includes(control.type)) || CHECKABLE.has(roleOf(control));
    return isOne ? checkedOf(control) === true : new Refusal("invalid", "the element is no checkbox and no radio button");
  },
  aria: (element) => ariaSnapshot(element),
  box: (element) => {
    if (!isVisible(element)) return null;
    const { x, y, width, height } = element.getBoundingClientRect();
    return { x, y, width, height };
  },
};

/** What is asked of all at once, without waiting. */
const COUNTERS = {
  count: (found) => found.length,
  allTextContents: (found) => found.map((element) => element.textContent ?? ""),
  allInnerTexts: (found) => found.map((element) => element.innerText ?? ""),
};

const read = {
  one: (id, target, { what, name }) => withElement(id, target, [], (element) => READERS[what](element, name)),
  all: (id, target, { what }) => ({ value: COUNTERS[what](find(target.selector)) }),
  /** Whether there is one, and it is visible; waits for nothing. */
  visible: (id, target) => {
    const found = theOne(target, () => {});
    return found instanceof Refusal ? { error: found.error, message: found.message } : { value: found !== undefined && isVisible(found) };
  },
  waitFor: async (id, target, { state }) => {
    const result = await retry(id, target.timeout, (say) => {
      const element = theOne(target, say);
      if (element instanceof Refusal) return element;
      const isThere = element !== undefined, shown = isThere && isVisible(element);
      if (isThere) say("found " + describe(element) + (shown ? "" : ", which is hidden"));
      return { attached: isThere, detached: !isThere, visible: shown, hidden: !shown }[state] || undefined;
    });
    if (result.error === "timeout" && (state === "attached" || state === "visible")) result.log.push(...hintsFor(target));
    return result;
  },
};

// ---- expect -----------------------------------------------------------------------------------------------------------------------------

const matchesText = (expected, received, { isPart = false, ignoreCase = false, isExact = false } = {}) => {
  if (expected.source !== undefined) {
    const flags = ignoreCase && !expected.flags.includes("i") ? expected.flags + "i" : expected.flags;
    return new RegExp(expected.source, flags.replace("g", "")).test(isExact ? received : received);
  }
  const clean = (text) => {
    const tidy = isExact ? text : squeeze(text);
    return ignoreCase ? tidy.toLowerCase() : tidy;
  };
  return isPart ? clean(received).includes(clean(expected.text)) : clean(received) === clean(expected.text);
};

const textForExpect = (element, { useInnerText }) => (useInnerText ? element.innerText : textOf(element, new Map()));

/** Of one element: what was received, and whether that is what was expected. */
const ONE = {
  visible: (element) => [isVisible(element) ? "visible" : "hidden", isVisible(element)],
  hidden: (element) => [isVisible(element) ? "visible" : "hidden", !isVisible(element)],
  enabled: (element) => [isDisabled(element) ? "disabled" : "enabled", !isDisabled(element)],
  disabled: (element) => [isDisabled(element) ? "disabled" : "enabled", isDisabled(element)],
  editable: (element) => [isReadOnly(element) || isDisabled(element) ? "readonly" : "editable", !isReadOnly(element) && !isDisabled(element)],
  checked: (element, { checked, indeterminate }) => {
    const is = checkedOf(ofControl(element));
    return indeterminate ? [is === "mixed" ? "indeterminate" : String(is), is === "mixed"] : [is === true ? "checked" : "unchecked", (is === true) === checked];
  },
  focused: (element) => {
    let active = document.activeElement;
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    return [active === element ? "focused" : "inactive", active === element];
  },
  empty: (element) => {
    const is = ["INPUT", "TEXTAREA"].includes(element.tagName) ? element.value === "" : squeeze(element.textContent ?? "") === "";
    return [is ? "empty" : "not empty", is];
  },
  viewport: (element, { ratio }) => {
    const box = element.getBoundingClientRect();
    const span = (from, to, most) => Math.max(0, Math.min(to, most) - Math.max(from, 0));
    const area = box.width * box.height, shown = span(box.left, box.right, innerWidth) * span(box.top, box.bottom, innerHeight);
    const share = area > 0 ? shown / area : 0;
    return ["a share of " + share.toFixed(2), ratio === undefined ? share > 0 : share >= ratio - 1e-9];
  },
  attribute: (element, { name, expected, ...how }) => {
    const value = element.getAttribute(name);
    return [value, value !== null && (expected === undefined || matchesText(expected, value, { ...how, isExact: true }))];
  },
  id: (element, { expected }) => [element.id, matchesText(expected, element.id, { isExact: true })],
  class: (element, { expected, isPart }) => {
    const value = element.getAttribute("class") ?? "";
    if (!isPart) return [value, matchesText(expected, value)];
    const has = new Set(value.split(/\s+/));
    return [value, expected.text.split(/\s+/).filter(Boolean).every((each) => has.has(each))];
  },
  css: (element, { name, expected }) => {
    const value = getComputedStyle(element).getPropertyValue(name);
    return [value, matchesText(expected, value)];
  },
  value: (element, { expected }) => {
    const value = ofControl(element).value ?? "";
    return [value, matchesText(expected, value, { isExact: true })];
  },
  values: (element, { expected }) => {
    const values = [...(element.selectedOptions ?? [])].map((option) => option.value);
    return [values, values.length === expected.length && values.every((value, at) => matchesText(expected[at], value, { isExact: true }))];
  },
  property: (element, { name, expected }) => {
    const value = name.split(".").reduce((of, key) => of?.[key], element);
    const same = (a, b) =>
      a === b || (typeof a === "object" && typeof b === "object" && a !== null && b !== null && Object.keys(b).length === Object.keys(a).length && Object.keys(b).every((key) => same(a[key], b[key])));
    return [typeof value === "object" && value !== null ? JSON.parse(JSON.stringify(value)) : (value ?? null), same(value ?? null, expected ?? null)];
  },
  role: (element, { role }) => [roleOf(element), roleOf(element) === role],
  name: (element, { expected, ignoreCase }) => [nameOf(element), matchesText(expected, nameOf(element), { ignoreCase })],
  description: (element, { expected, ignoreCase }) => [descriptionOf(element), matchesText(expected, descriptionOf(element), { ignoreCase })],
  errorMessage: (element, { expected, ignoreCase }) => [errorMessageOf(element), matchesText(expected, errorMessageOf(element), { ignoreCase })],
  text: (element, how) => {
    const text = textForExpect(element, how);
    return [squeeze(text), matchesText(how.expected, text, how)];
  },
};

/** Of all elements of a list. */
const MANY = {
  count: (found, { count }) => [found.length, found.length === count],
  texts: (found, how) => {
    const texts = found.map((element) => textForExpect(element, how));
    return [texts.map(squeeze), inOrder(how.expected, texts, how)];
  },
  classes: (found, { expected, isPart }) => {
    const classes = found.map((element) => element.getAttribute("class") ?? "");
    return [classes, classes.length === expected.length && found.every((element, at) => ONE.class(element, { expected: expected[at], isPart })[1])];
  },
};

/** Each expected one in turn; parts may leave some out. */
function inOrder(expected, texts, how) {
  if (!how.isPart) return texts.length === expected.length && texts.every((text, at) => matchesText(expected[at], text, how));
  let at = 0;
  for (const text of texts) if (at < expected.length && matchesText(expected[at], text, how)) at++;
  return at === expected.length;
}

const PAGE = {
  url: ({ expected, ignoreCase }) => [location.href, matchesText(expected, location.href, { isExact: true, ignoreCase })],
  title: ({ expected }) => [squeeze(document.title), matchesText(expected, document.title)],
};

/** Waits until what is expected holds, or with `isNot` does not. */
async function expectThat(id, target, { matcher, isNot, ...how }) {
  let received;
  const look = (say) => {
    if (PAGE[matcher]) return PAGE[matcher](how);
    if (MANY[matcher]) return MANY[matcher](find(target.selector), how);
    const element = theOne(target, say);
    if (element instanceof Refusal) return element;
    if (matcher === "attached") return [element ? "attached" : "detached", Boolean(element) === how.attached];
    if (element === undefined) {
      // What is not there is hidden, and not visible; nothing else is known of it.
      if (matcher === "hidden") return ["no element", true];
      if (matcher === "visible") return ["no element", false];
      return undefined;
    }
    return ONE[matcher](element, how);
  };
  const result = await retry(id, target.timeout, (say) => {
    const looked = look(say);
    if (looked instanceof Refusal) return looked;
    if (looked === undefined) {
      received = undefined;
      return undefined;
    }
    received = looked[0];
    say("received " + JSON.stringify(received));
    return looked[1] !== isNot ? true : undefined;
  });
  if (result.error === "timeout") {
    if (target.selector.length > 0) result.log.push(...hintsFor(target));
    return { value: { holds: false, received, isMissing: received === undefined, log: result.log } };
  }
  return result.error ? result : { value: { holds: true, received } };
}
