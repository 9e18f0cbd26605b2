// The page in the form that Playwright calls an aria snapshot: YAML of roles, names, states and texts.

const DISABLED_ROLES = new Set(
  ("application button checkbox columnheader combobox grid gridcell group link listbox menu menubar menuitem menuitemcheckbox menuitemradio option radio radiogroup row rowheader scrollbar searchbox separator slider spinbutton switch tab tablist textbox " +
    "toolbar tree treegrid treeitem").split(" "),
);
const EXPANDED_ROLES = new Set("application button checkbox columnheader combobox gridcell link listbox menuitem menuitemcheckbox menuitemradio row rowheader switch tab treeitem".split(" "));
const SELECTED_ROLES = new Set("columnheader gridcell option row rowheader tab treeitem".split(" "));
const LEVEL_ROLES = new Set("heading listitem row treeitem".split(" "));

function ariaKey(element, role, name) {
  let key = role + (name && name.length <= 900 ? " " + JSON.stringify(name) : "");
  const checked = CHECKABLE.has(role) && role !== "option" && checkedOf(element), pressed = role === "button" && pressedOf(element);
  if (checked) key += checked === "mixed" ? " [checked=mixed]" : " [checked]";
  if (DISABLED_ROLES.has(role) && isDisabled(element)) key += " [disabled]";
  if (EXPANDED_ROLES.has(role) && expandedOf(element)) key += " [expanded]";
  const level = LEVEL_ROLES.has(role) && levelOf(element);
  if (level) key += " [level=" + level + "]";
  if (pressed) key += pressed === "mixed" ? " [pressed=mixed]" : " [pressed]";
  if (SELECTED_ROLES.has(role) && selectedOf(element)) key += " [selected]";
  return key;
}

/** What an element is, and what is in it. `undefined` if it says nothing of its own. */
function ariaNode(element) {
  if (element.tagName === "IFRAME") return { role: "iframe", key: "iframe", name: "", children: [], props: [] };
  const role = roleOf(element);
  if (TRANSPARENT.has(role)) return undefined;
  const name = nameOf(element), node = { role, name, key: ariaKey(element, role, name), children: [], props: [] };
  const isTyped = element.tagName === "TEXTAREA" || (element.tagName === "INPUT" && !["checkbox", "file", "radio"].includes(element.type));
  if (isTyped) node.children.push(element.value);
  return node;
}

function ariaVisit(parent, node, seen) {
  // What is owned is told where its owner stands.
  if (seen.has(node)) return;
  seen.add(node);
  if (node.nodeType === Node.TEXT_NODE) {
    if (parent.role !== "textbox") parent.children.push(node.data);
    return;
  }
  if (node.nodeType !== Node.ELEMENT_NODE || SILENT.has(node.tagName) || isHiddenForAria(node)) return;
  const own = ariaNode(node), into = own ?? parent;
  if (own) parent.children.push(own);
  const edge = getComputedStyle(node).display !== "inline" || node.tagName === "BR" ? " " : "";
  into.children.push(edge, unquoted(getComputedStyle(node, "::before").content));
  const assigned = node.tagName === "SLOT" ? node.assignedNodes() : [];
  if (assigned.length > 0) assigned.forEach((child) => ariaVisit(into, child, seen));
  else {
    const isClosed = node.tagName === "DETAILS" && !node.open;
    for (const child of node.childNodes) if (!child.assignedSlot && !(isClosed && child.tagName !== "SUMMARY")) ariaVisit(into, child, seen);
    node.shadowRoot?.childNodes.forEach((child) => ariaVisit(into, child, seen));
  }
  elementsOfIds(node, "aria-owns").forEach((child) => ariaVisit(into, child, seen));
  into.children.push(unquoted(getComputedStyle(node, "::after").content), edge);
  if (!own) return;
  if (own.role === "link" && node.hasAttribute("href")) own.props.push(["url", node.getAttribute("href")]);
  const placeholder = own.role === "textbox" && node.getAttribute("placeholder");
  if (placeholder && placeholder !== own.name) own.props.push(["placeholder", placeholder]);
}

/** Texts that stand side by side are one. One that is the name says nothing more. */
function ariaJoined(node) {
  const joined = [];
  let text = "";
  const end = () => {
    if (squeeze(text)) joined.push(squeeze(text));
    text = "";
  };
  for (const child of node.children) {
    if (typeof child === "string") text += child;
    else {
      end();
      joined.push(child);
    }
  }
  end();
  return joined.length === 1 && joined[0] === node.name ? [] : joined;
}

/** Whether a plain text would be something else in YAML (1.2, 7.3.3), or nothing. */
const isUnplain = (text) =>
  text === "" || /^\s|\s$|[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|^-|[\n:](\s|$)|\s#|[\n\r]|^[&*\],?!>|@"'#%[]|[{}`]/.test(text) || !Number.isNaN(Number(text)) || ["y", "n", "yes", "no", "true", "false", "on", "off", "null"].includes(text.toLowerCase());
const yamlValue = (text) => (isUnplain(text) ? '"' + text.replace(/[\\"\0-\x1f\x7f-\x9f]/g, (c) => ({ "\\": "\\\\", '"': '\\"', "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t" })[c] ?? "\\x" + c.charCodeAt(0).toString(16).padStart(2, "0")) + '"' : text);
const yamlKey = (text) => (isUnplain(text) ? "'" + text.replaceAll("'", "''") + "'" : text);

function ariaWrite(node, indent, depth, lines) {
  if (typeof node === "string") return void lines.push(indent + "- text: " + yamlValue(node));
  const children = ariaJoined(node), line = indent + "- " + yamlKey(node.key);
  if (depth === 0 || (children.length === 0 && node.props.length === 0)) return void lines.push(line);
  if (children.length === 1 && typeof children[0] === "string" && node.props.length === 0) return void lines.push(line + ": " + yamlValue(children[0]));
  lines.push(line + ":");
  for (const [name, value] of node.props) lines.push(indent + "  - /" + name + ": " + yamlValue(value));
  for (const child of children) ariaWrite(child, indent + "  ", depth - 1, lines);
}

function ariaSnapshot(element) {
  const root = { children: [] }, lines = [];
  ariaVisit(root, element, new Set());
  for (const child of ariaJoined(root)) ariaWrite(child, "", Infinity, lines);
  return lines.join("\n");
}
