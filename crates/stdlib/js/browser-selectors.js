// Made of js-runtime/src/browser-selectors.ts by `cargo xtask generate`.
// Selectors: what scripts write, as the parts that a driver understands.
((ops     , intrinsics            ) => {
  const { list, Number, push, regExpExec, regExpFlags, regExpSource, slice, String, stringify, toLowerCase, toUpperCase, trim, TypeError } = intrinsics;
  const { dictionary, domString } = ops.library_value("webidl");

  /** A text, or a regular expression, to be matched in the page. */
  function textMatch(value         , exact         , what        )      {
    if (ops.kind_of(value) === "regexp") return { __proto__: null, source: regExpSource(value          ), flags: regExpFlags(value          ) };
    if (typeof value !== "string") throw new TypeError(what + " is a text or a regular expression, not " + (value === null ? "null" : typeof value));
    return { __proto__: null, text: value, exact: exact === true };
  }

  function part(by        , more     )      {
    more.by = by;
    return more;
  }

  const quoted = /^(["'])((?:[^\\]|\\.)*?)\1(i?)$/s;
  /** `"exactly"`, `'exactly'`, `/expression/flags` or what is contained. */
  function textPart(body        , by        )      {
    const text = trim(body), expression = regExpExec(/^\/((?:[^\\/]|\\.)+)\/([a-z]*)$/s, text);
    if (expression !== null) return part(by, { __proto__: null, source: expression[1], flags: expression[2] });
    const exactly = regExpExec(quoted, text);
    return part(by, { __proto__: null, text: exactly === null ? text : unescape(exactly[2]), exact: exactly !== null && exactly[3] === "" });
  }

  function unescape(text        )         {
    let out = "";
    for (let at = 0; at < text.length; at++) out += text[at] === "\\" && at + 1 < text.length ? text[++at] : text[at];
    return out;
  }

  /** The end of a string, a bracket or a parenthesis that begins at `at`. */
  function closing(text        , at        )         {
    const open = text[at];
    if (open === '"' || open === "'") {
      for (at++; at < text.length && text[at] !== open; at++) if (text[at] === "\\") at++;
      return at;
    }
    const close = open === "(" ? ")" : "]";
    for (at++; at < text.length && text[at] !== close; at++) {
      if (text[at] === "\\") at++;
      else if (text[at] === "(" || text[at] === "[" || text[at] === '"' || text[at] === "'") at = closing(text, at);
    }
    return at;
  }

  /** Pieces between separators that stand in no string and no bracket. */
  function split(text        , separator        )           {
    const pieces           = list();
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      const c = text[at];
      if (c === "\\") at++;
      else if (c === '"' || c === "'" || c === "(" || c === "[") at = closing(text, at);
      else if (slice(text, at, at + separator.length) === separator) {
        push(pieces, slice(text, from, at));
        at += separator.length - 1;
        from = at + 1;
      }
    }
    push(pieces, slice(text, from));
    return pieces;
  }

  const ours = /^:(has-text|text-is|text-matches|text|visible|nth-match)(?![\w-])/;
  /** Where CSS has a pseudo-class that is no CSS, if it has one. */
  function extension(css        )         {
    for (let at = 0; at < css.length; at++) {
      const c = css[at];
      if (c === "\\") at++;
      else if (c === ":" && regExpExec(ours, slice(css, at)) !== null) return at;
      else if (c === '"' || c === "'" || c === "[") at = closing(css, at);
      else if (c === "(") at = closing(css, at);
    }
    return -1;
  }

  function cssParts(css        , into       )       {
    const text = trim(css), at = extension(text);
    if (text === "") throw new TypeError("a selector is empty");
    if (at < 0) return void push(into, part("css", { __proto__: null, css: text }));
    const either = split(text, ",");
    if (either.length > 1) {
      cssParts(either[0], into);
      for (let i = 1; i < either.length; i++) {
        const selector        = list();
        cssParts(either[i], selector);
        push(into, part("or", { __proto__: null, selector }));
      }
      return;
    }
    const name = (regExpExec(ours, slice(text, at))                   )[1];
    let end = at + 1 + name.length, body = "";
    if (text[end] === "(") {
      const close = closing(text, end);
      body = slice(text, end + 1, close);
      end = close + 1;
    }
    const before = slice(text, 0, at), isAlone = trim(before) === "" || regExpExec(/[\s>+~]$/, before) !== null;
    if (name === "nth-match") {
      const pieces = split(body, ","), index = Number(trim(pieces[pieces.length - 1])) - 1;
      let inner = pieces[0];
      for (let i = 1; i < pieces.length - 1; i++) inner += "," + pieces[i];
      cssParts(inner, into);
      push(into, part("nth", { __proto__: null, index }));
    } else {
      push(into, part("css", { __proto__: null, css: isAlone ? before + "*" : before }));
      if (name === "visible") push(into, part("visible", { __proto__: null, visible: true }));
      else if (name === "has-text") push(into, contained(body));
      else {
        // Of the text itself, not of what contains it.
        const selector        = list();
        push(selector, name === "text" ? inexact(textPart(body, "text")) : textPart(body, "text"));
        if (name === "text-is") selector[0].exact = true;
        push(into, part("and", { __proto__: null, selector }));
      }
    }
    const rest = slice(text, end);
    if (trim(rest) === "") return;
    if (extension(":visible" + rest) === 0 && regExpExec(/^[\s>+~]/, rest) === null) {
      // More of the same element.
      const selector        = list();
      cssParts("*" + rest, selector);
      push(into, part("and", { __proto__: null, selector }));
    } else cssParts(regExpExec(/^\s*[>+~]/, rest) !== null ? ":scope " + trim(rest) : trim(rest), into);
  }

  const inexact = (of     )      => {
    if (of.text !== undefined) of.exact = false;
    return of;
  };
  const contained = (body        )      => inexact(textPart(body, "hasText"));

  const attributes = /^\s*([\w-]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\/(?:[^\\/]|\\.)+\/[a-z]*|[\w-]+)\s*([is]?)\s*)?$/s;
  /** `button[name="Save"i][disabled]`. */
  function rolePart(body        )      {
    const head = regExpExec(/^\s*([a-z]+)\s*/i, body);
    if (head === null) throw new TypeError("'" + body + "' names no role");
    const made      = part("role", { __proto__: null, role: toLowerCase(head[1]), includeHidden: false });
    for (let at = head[0].length; at < body.length; ) {
      if (body[at] !== "[") throw new TypeError("'" + body + "' is no selector of a role");
      const end = closing(body, at), found = regExpExec(attributes, slice(body, at + 1, end));
      if (found === null) throw new TypeError("'" + body + "' is no selector of a role");
      const key = found[1], value = found[2];
      if (key === "name") {
        made.name = textPart(value ?? "", "");
        if (made.name.text !== undefined) made.name.exact = found[3] !== "i";
        delete made.name.by;
      } else if (key === "level") made.level = Number(value);
      else if (key === "include-hidden") made.includeHidden = value !== "false";
      else made[key] = value === "mixed" ? "mixed" : value !== "false";
      at = end + 1;
    }
    return made;
  }

  const engines = /^\s*(css|text|xpath|id|data-testid|data-test-id|data-test|role|nth|visible|has-text|ref|internal:[a-z-]+)=/;
  function onePart(text        , into       )       {
    const given = trim(text);
    if (regExpExec(/^\(*\/\/|^\.\.($|\/)/, given) !== null) return void push(into, part("xpath", { __proto__: null, xpath: given[0] === "/" ? "." + given : given }));
    const named = regExpExec(engines, given);
    if (named === null) {
      if (regExpExec(/^e[1-9]\d*$/, given) !== null) return void push(into, part("reference", { __proto__: null, reference: given }));
      if (regExpExec(quoted, given) !== null) return void push(into, textPart(given, "text"));
      return cssParts(given, into);
    }
    const body = slice(given, named[0].length);
    switch (named[1]) {
      case "css":
        return cssParts(body, into);
      case "text":
        return void push(into, textPart(body, "text"));
      case "xpath":
        return void push(into, part("xpath", { __proto__: null, xpath: body[0] === "/" ? "." + body : body }));
      case "role":
        return void push(into, rolePart(body));
      case "nth": {
        const index = Number(body);
        if (trim(body) === "" || index % 1 !== 0) throw new TypeError("nth= is a whole number, not '" + body + "'");
        return void push(into, part("nth", { __proto__: null, index }));
      }
      case "visible":
        return void push(into, part("visible", { __proto__: null, visible: trim(body) !== "false" }));
      case "has-text":
        return void push(into, contained(body));
      case "ref":
        return void push(into, part("reference", { __proto__: null, reference: trim(body) }));
      case "id":
      case "data-testid":
      case "data-test-id":
      case "data-test": {
        const exactly = regExpExec(quoted, body);
        return void push(into, part("attribute", { __proto__: null, name: named[1], text: exactly === null ? body : unescape(exactly[2]), exact: true }));
      }
      default:
        throw new TypeError("'" + named[1] + "' is no selector that scripts may use");
    }
  }

  /** A selector as Playwright has them: CSS, `text=`, `role=`, `xpath=`, `>>` between. */
  function parse(selector         )        {
    const parts        = list(), pieces = split(domString(selector), ">>");
    for (let i = 0; i < pieces.length; i++) {
      if (trim(pieces[i]) === "internal:control=enter-frame") push(parts, part("frame", { __proto__: null }));
      else onePart(pieces[i], parts);
    }
    return parts;
  }

  function byRole(role         , options         )      {
    const given = dictionary(options, "the options of getByRole"), made      = part("role", { __proto__: null, role: toLowerCase(domString(role)), includeHidden: given.includeHidden === true });
    if (given.name !== undefined) made.name = textMatch(given.name, given.exact, "the name");
    if (given.checked !== undefined) made.checked = given.checked;
    if (given.disabled !== undefined) made.disabled = given.disabled === true;
    if (given.expanded !== undefined) made.expanded = given.expanded === true;
    if (given.level !== undefined) made.level = given.level;
    if (given.pressed !== undefined) made.pressed = given.pressed;
    if (given.selected !== undefined) made.selected = given.selected === true;
    return made;
  }

  function byText(by        , text         , options         , what        )      {
    return part(by, textMatch(text, dictionary(options, "the options of " + what).exact, "the text"));
  }

  function byAttribute(name        , text         , options         , what        )      {
    const made = part("attribute", textMatch(text, dictionary(options, "the options of " + what).exact, "the text"));
    made.name = name;
    return made;
  }

  function byTestId(id         )      {
    const made = part("attribute", textMatch(id, true, "a test id"));
    made.name = "data-testid";
    return made;
  }

  /** What `filter` and the options of `locator` add. */
  function filters(options         , partsOf                             , into       )       {
    const given = dictionary(options, "the options of a locator");
    if (given.hasText !== undefined) push(into, part("hasText", textMatch(given.hasText, false, "hasText")));
    if (given.hasNotText !== undefined) push(into, part("hasNotText", textMatch(given.hasNotText, false, "hasNotText")));
    if (given.has !== undefined) push(into, part("has", { __proto__: null, selector: partsOf(given.has) }));
    if (given.hasNot !== undefined) push(into, part("hasNot", { __proto__: null, selector: partsOf(given.hasNot) }));
    if (given.visible !== undefined) push(into, part("visible", { __proto__: null, visible: given.visible === true }));
  }

  function joined(before                , after                )        {
    const all        = list();
    for (let i = 0; i < before.length; i++) push(all, before[i]);
    for (let i = 0; i < after.length; i++) push(all, after[i]);
    return all;
  }

  const show = (match     )         => (match.source !== undefined ? "/" + match.source + "/" + match.flags : stringify(match.text));

  /** How a selector is called in messages: as it could have been written. */
  function describe(parts                )         {
    let text = "";
    for (let i = 0; i < parts.length; i++) {
      const each = parts[i];
      let said = "";
      switch (each.by) {
        case "css":
          said = "locator(" + stringify(each.css) + ")";
          break;
        case "role":
          said = "getByRole('" + each.role + "'" + (each.name === undefined ? "" : ", { name: " + show(each.name) + " }") + ")";
          break;
        case "text":
        case "label":
          said = "getBy" + toUpperCase(each.by[0]) + slice(each.by, 1) + "(" + show(each) + ")";
          break;
        case "attribute":
          said = each.name === "data-testid" ? "getByTestId(" + show(each) + ")" : "[" + each.name + "=" + show(each) + "]";
          break;
        case "xpath":
          said = "locator(" + stringify("xpath=" + each.xpath) + ")";
          break;
        case "reference":
          said = "locator('" + each.reference + "')";
          break;
        case "nth":
          said = each.index === 0 ? "first()" : each.index === -1 ? "last()" : "nth(" + String(each.index) + ")";
          break;
        case "frame":
          said = "contentFrame()";
          break;
        case "hasText":
        case "hasNotText":
          said = "filter({ " + each.by + ": " + show(each) + " })";
          break;
        case "visible":
          said = "filter({ visible: " + String(each.visible) + " })";
          break;
        default:
          said = (each.by === "has" || each.by === "hasNot" ? "filter({ " + each.by + ": " : each.by + "(") + describe(each.selector) + (each.by === "has" || each.by === "hasNot" ? " })" : ")");
      }
      text += (text === "" ? "" : ".") + said;
    }
    return text;
  }

  const browserSelectors = { __proto__: null, parse, byRole, byText, byAttribute, byTestId, filters, joined, describe, textMatch };
  return { browserSelectors };
})
