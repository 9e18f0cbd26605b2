// The tree of a page as a person meets it: open shadow roots are part of it, slots show what is assigned to them.

const tagOf = (element) => element.tagName.toLowerCase();

/** Shadow roots included, in tree order. */
function* elementsBelow(root) {
  const stack = [];
  const pushChildren = (node) => {
    for (let child = node.lastElementChild; child; child = child.previousElementSibling) stack.push(child);
  };
  pushChildren(root);
  if (root.shadowRoot) pushChildren(root.shadowRoot);
  while (stack.length > 0) {
    const element = stack.pop();
    yield element;
    pushChildren(element);
    if (element.shadowRoot) pushChildren(element.shadowRoot);
  }
}

/** A root and every open shadow root below it. */
function rootsBelow(root) {
  const roots = [root];
  if (root.shadowRoot) roots.push(root.shadowRoot);
  for (const element of elementsBelow(root)) if (element.shadowRoot) roots.push(element.shadowRoot);
  return roots;
}

const parentOf = (element) => element.parentElement ?? (element.getRootNode() instanceof ShadowRoot ? element.getRootNode().host : null);

/** What is shown around an element: where it is slotted, not where it was written. */
const shownIn = (element) => element.assignedSlot ?? parentOf(element);

function isInside(inner, outer) {
  for (let node = inner; node; node = shownIn(node)) if (node === outer) return true;
  return false;
}

const squeeze = (text) => text.replace(/[\u200b\u00ad]/g, "").replace(/\s+/g, " ").trim();

function textMatcher({ text, exact, source, flags }) {
  if (source !== undefined) {
    const expression = new RegExp(source, flags);
    return (given) => {
      expression.lastIndex = 0;
      return expression.test(squeeze(given));
    };
  }
  const wanted = squeeze(text);
  if (exact) return (given) => squeeze(given) === wanted;
  const lower = wanted.toLowerCase();
  return (given) => squeeze(given).toLowerCase().includes(lower);
}

const SILENT = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE"]);

/** The text of an element and of all below it, shadow roots included; kept in `known` while nothing changes. */
function textOf(element, known) {
  let text = known.get(element);
  if (text !== undefined) return text;
  text = "";
  if (element.tagName === "INPUT" && ["button", "reset", "submit"].includes(element.type)) text = element.value;
  else if (!SILENT.has(element.tagName)) {
    const add = (node) => {
      if (node.nodeType === Node.TEXT_NODE) text += node.data;
      else if (node.nodeType === Node.ELEMENT_NODE) text += textOf(node, known);
    };
    element.childNodes.forEach(add);
    element.shadowRoot?.childNodes.forEach(add);
  }
  known.set(element, text);
  return text;
}

function isVisible(element) {
  if (!element.checkVisibility({ visibilityProperty: true })) {
    // `display: contents` has no box of its own.
    if (getComputedStyle(element).display !== "contents") return false;
  }
  if (getComputedStyle(element).display === "contents") {
    return [...element.childNodes].some((child) => (child.nodeType === Node.ELEMENT_NODE ? isVisible(child) : child.nodeType === Node.TEXT_NODE && hasBox(child)));
  }
  const box = element.getBoundingClientRect();
  return box.width > 0 && box.height > 0;
}

function hasBox(textNode) {
  const range = document.createRange();
  range.selectNode(textNode);
  const box = range.getBoundingClientRect();
  return box.width > 0 && box.height > 0;
}

const DISABLEABLE = "button,input,select,textarea,option,optgroup";
function isDisabled(element) {
  if (element.matches(DISABLEABLE) && element.matches(":disabled")) return true;
  for (let node = element; node; node = shownIn(node)) {
    const said = node.getAttribute?.("aria-disabled");
    if (said === "true") return true;
    if (said === "false") return false;
  }
  return false;
}

function isReadOnly(element) {
  if (["INPUT", "TEXTAREA"].includes(element.tagName)) return element.readOnly;
  if (element.tagName === "SELECT") return false;
  return element.getAttribute("aria-readonly") === "true";
}

const isEditableKind = (element) => ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName) || element.isContentEditable;

/** One line that says which element it is. */
function describe(element) {
  const shell = element.cloneNode(false);
  for (const attribute of [...shell.attributes]) if (attribute.value.length > 60) shell.setAttribute(attribute.name, attribute.value.slice(0, 60) + "…");
  const open = shell.outerHTML.replace(/<\/[^>]*>$/, "").slice(0, 300);
  if (!element.firstChild) return open;
  const text = squeeze(element.textContent ?? "");
  return open + (text.length > 50 ? text.slice(0, 50) + "…" : text) + "</" + tagOf(element) + ">";
}
