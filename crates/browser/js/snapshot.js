// The page as text: what those have who do not see it, a line for each element that says something.

const INTERACTIVE = new Set(
  "button checkbox combobox link listbox menuitem menuitemcheckbox menuitemradio option radio searchbox slider spinbutton switch tab textbox treeitem gridcell".split(" "),
);
const TRANSPARENT = new Set(["generic", "presentation", "none"]);
/** Roles whose name is all that is in them. */
const LEAVES = new Set("button checkbox heading img menuitemcheckbox menuitemradio meter option progressbar radio scrollbar separator slider spinbutton switch tab".split(" "));

const quoted = (text) => JSON.stringify(text.length > 200 ? text.slice(0, 200) + "…" : text);

function statesOf(element, role) {
  const states = [];
  if (CHECKABLE.has(role) && role !== "option") {
    const checked = checkedOf(element);
    if (checked === "mixed") states.push("mixed");
    else if (checked) states.push("checked");
  }
  if (isDisabled(element)) states.push("disabled");
  const expanded = expandedOf(element);
  if (expanded !== undefined) states.push(expanded ? "expanded" : "collapsed");
  const pressed = pressedOf(element);
  if (pressed) states.push(pressed === "mixed" ? "pressed=mixed" : "pressed");
  if (selectedOf(element)) states.push("selected");
  if (element === document.activeElement && element !== document.body) states.push("focused");
  const level = role === "heading" ? levelOf(element) : undefined;
  if (level) states.push("level=" + level);
  return states;
}

class Writer {
  constructor(most) {
    this.most = most;
    this.lines = [];
    this.length = 0;
    this.left = 0;
  }
  get isFull() {
    return this.left > 0;
  }
  add(depth, text) {
    const line = "  ".repeat(depth) + "- " + text;
    if (this.length + line.length + 1 > this.most) return void this.left++;
    this.lines.push(line);
    this.length += line.length + 1;
  }
}

/** A run of text that stands between elements. */
function addText(writer, depth, text) {
  const tidy = squeeze(text);
  if (tidy) writer.add(depth, "text: " + (tidy.length > 500 ? tidy.slice(0, 500) + "…" : tidy));
}

function valueOf(element, role) {
  if (element.tagName === "SELECT") return [...element.selectedOptions].map((option) => squeeze(option.label)).join(", ");
  if (element.tagName === "INPUT" && element.type === "password") return element.value ? "•".repeat(Math.min(element.value.length, 8)) : "";
  if (["combobox", "searchbox", "slider", "spinbutton", "textbox"].includes(role)) return String(element.value ?? (element.isContentEditable ? squeeze(element.textContent) : "") ?? "");
  return "";
}

/** The children that are shown: what is slotted, what a shadow root has. */
function shownChildren(element) {
  if (element.tagName === "SLOT") {
    const assigned = element.assignedNodes();
    if (assigned.length > 0) return assigned;
  }
  return element.shadowRoot ? element.shadowRoot.childNodes : element.childNodes;
}

function write(element, depth, writer, options) {
  if (writer.isFull) {
    writer.left++;
    return;
  }
  const style = getComputedStyle(element);
  if (SILENT.has(element.tagName) || element.getAttribute("aria-hidden") === "true" || style.display === "none") return;
  if (["FRAME", "IFRAME"].includes(element.tagName)) {
    const name = squeeze(element.title || element.name || "");
    if (isVisible(element)) writer.add(depth, "iframe" + (name ? " " + quoted(name) : "") + " [" + referenceOf(element) + "] (look inside: page.frameLocator(" + quoted(element.id ? "#" + element.id : "iframe") + ").locator('body').snapshot())");
    return;
  }
  const role = roleOf(element), isShown = style.visibility === "visible";
  const isTransparent = TRANSPARENT.has(role) || role === "document" || (role === "paragraph" && !element.hasAttribute("role")) || !isShown;
  if (isTransparent) {
    const isClickable = isShown && style.cursor === "pointer" && element.parentElement && getComputedStyle(element.parentElement).cursor !== "pointer" && role === "generic";
    if (!isClickable) return writeChildren(element, depth, writer, options);
  }
  const name = isTransparent ? squeeze(textOf(element, new Map())) : nameOf(element), isInput = ["combobox", "searchbox", "slider", "spinbutton", "textbox"].includes(role);
  let line = isTransparent ? "clickable" : role;
  if (name) line += " " + quoted(name);
  for (const state of statesOf(element, role)) line += " [" + state + "]";
  if (INTERACTIVE.has(role) || isTransparent || role === "img" || element.tagName === "IFRAME" || options.all) line += " [" + referenceOf(element) + "]";
  const value = isInput ? valueOf(element, role) : "";
  if (value) line += ": " + quoted(value);
  if (role === "link" && options.urls && element.href) line += " -> " + element.getAttribute("href").slice(0, 200);
  if (element.tagName === "SELECT") {
    writer.add(depth, line);
    return;
  }
  const isLeaf = LEAVES.has(role) || isTransparent || (role === "link" && squeeze(textOf(element, new Map())) === name && !element.querySelector("img,button,[role]"));
  const children = new Writer(Math.max(0, writer.most - writer.length - line.length));
  if (!isLeaf && !isInput) writeChildren(element, depth + 1, children, options);
  // What says nothing, and has nothing in it that does.
  if (!name && !value && children.lines.length === 0 && !INTERACTIVE.has(role) && !["img", "separator"].includes(role) && element.tagName !== "IFRAME") {
    writer.left += children.left;
    return;
  }
  // One text is said on the line.
  const only = children.lines.length === 1 && /^\s*- text: (.*)$/s.exec(children.lines[0]);
  if (only) {
    const isSame = squeeze(only[1]) === name;
    writer.add(depth, isSame ? line : line + ": " + only[1]);
  } else {
    writer.add(depth, line + (children.lines.length > 0 ? ":" : ""));
    if (!writer.isFull) {
      writer.lines.push(...children.lines);
      writer.length += children.length;
    }
  }
  writer.left += children.left;
}

function writeChildren(element, depth, writer, options) {
  let text = "";
  for (const node of shownChildren(element)) {
    if (node.nodeType === Node.TEXT_NODE) {
      if (getComputedStyle(element).visibility === "visible") text += node.data;
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      // Marked-up words are part of their sentence.
      const isWord = node.childElementCount === 0 && ["B", "EM", "I", "SPAN", "STRONG", "CODE", "SMALL", "MARK", "TIME", "ABBR", "SUB", "SUP", "U", "FONT"].includes(node.tagName) && !node.hasAttribute("role") && getComputedStyle(node).display === "inline" && getComputedStyle(node).cursor !== "pointer";
      if (node.tagName === "BR") text += " ";
      else if (isWord && isVisible(node)) text += node.textContent;
      else {
        addText(writer, depth, text);
        text = "";
        write(node, depth, writer, options);
      }
    }
  }
  addText(writer, depth, text);
}

let lastLines;

/** Lines that have gone, and lines that have come, with what they stand below left out. */
function differences(before, after) {
  const count = (lines) => {
    const counts = new Map();
    for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
    return counts;
  };
  const old = count(before), now = count(after), changes = [];
  for (const line of before) {
    const left = now.get(line) ?? 0;
    if (left > 0) now.set(line, left - 1);
    else changes.push("- " + line);
  }
  for (const line of after) {
    const left = old.get(line) ?? 0;
    if (left > 0) old.set(line, left - 1);
    else changes.push("+ " + line);
  }
  return changes;
}

function snapshot(id, target, { most, isDiff, urls, all }) {
  const root = target.selector.length > 0 ? theOne({ ...target, strict: true }, () => {}) : document.body;
  if (root instanceof Refusal) return { error: root.error, message: root.message };
  if (!root) return { error: "missing", message: "no element matches" };
  const writer = new Writer(most);
  if (root === document.body) writeChildren(root, 0, writer, { urls, all });
  else write(root, 0, writer, { urls, all });
  const before = lastLines;
  lastLines = writer.lines;
  const lines = isDiff && before ? differences(before, writer.lines) : writer.lines;
  const text = lines.join("\n") || (isDiff && before ? "nothing has changed" : "the page is empty");
  return { value: { text, left: writer.left, url: location.href, title: document.title } };
}
