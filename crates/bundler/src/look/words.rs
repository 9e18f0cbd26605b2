//! Words and operators, by what they mean for the look.

/// Words that operands may follow, or that go on with what stands before them. Some of them are names in some places.
pub(super) fn is_prefix(word: &[u8]) -> bool {
    matches!(
        word,
        b"async"
            | b"get"
            | b"set"
            | b"static"
            | b"public"
            | b"private"
            | b"protected"
            | b"readonly"
            | b"override"
            | b"declare"
            | b"abstract"
            | b"accessor"
            | b"keyof"
            | b"unique"
            | b"infer"
            | b"asserts"
            | b"await"
            | b"yield"
            | b"type"
            | b"of"
            | b"as"
            | b"satisfies"
            | b"is"
            | b"in"
            | b"instanceof"
            | b"new"
            | b"typeof"
            | b"void"
            | b"delete"
            | b"function"
            | b"class"
            | b"extends"
            | b"implements"
            | b"const"
            | b"out"
            | b"let"
            | b"var"
            | b"using"
            | b"import"
            | b"export"
            | b"from"
            | b"default"
            | b"case"
            | b"return"
            | b"throw"
            | b"else"
            | b"do"
            | b"enum"
            | b"interface"
            | b"namespace"
            | b"module"
            | b"global"
            | b"if"
            | b"for"
            | b"while"
            | b"with"
            | b"switch"
            | b"try"
            | b"catch"
            | b"finally"
            | b"break"
            | b"continue"
            | b"debugger"
    )
}

/// Words behind which a `/` begins a regular expression, wherever they stand.
pub(super) fn begins_operand(word: &[u8]) -> bool {
    matches!(
        word,
        b"return"
            | b"typeof"
            | b"instanceof"
            | b"in"
            | b"new"
            | b"delete"
            | b"void"
            | b"throw"
            | b"case"
            | b"do"
            | b"else"
            | b"extends"
            | b"default"
    )
}

/// Words that stand between operands.
pub(super) fn is_infix(word: &[u8]) -> bool {
    matches!(word, b"as" | b"satisfies" | b"in" | b"instanceof" | b"of" | b"is" | b"extends" | b"implements")
}

/// Words that go on with the statement before them.
pub(super) fn is_behind_block(word: &[u8]) -> bool {
    matches!(word, b"else" | b"catch" | b"finally" | b"while")
}

/// Words that stand in no expression and in no type.
pub(super) fn is_statement(word: &[u8]) -> bool {
    matches!(
        word,
        b"if"
            | b"for"
            | b"while"
            | b"do"
            | b"return"
            | b"continue"
            | b"case"
            | b"throw"
            | b"try"
            | b"catch"
            | b"finally"
            | b"var"
            | b"else"
            | b"with"
            | b"debugger"
            | b"export"
    )
}

pub(super) fn is_modifier(word: &[u8]) -> bool {
    matches!(word, b"readonly" | b"public" | b"private" | b"protected" | b"override")
}

/// Operators that the parser recurses for.
pub(super) fn is_recursive(operator: &[u8]) -> bool {
    matches!(operator, b"=" | b"=>" | b"?" | b"**" | b"!" | b"~" | b"+" | b"-" | b"++" | b"--" | b"<" | b"<<" | b":")
        || (operator.len() > 1
            && operator.ends_with(b"=")
            && !matches!(operator, b"==" | b"===" | b"!=" | b"!==" | b"<=" | b">="))
}

/// Operators of no type.
pub(super) fn is_no_type(operator: &[u8]) -> bool {
    matches!(
        operator,
        b"&&"
            | b"||"
            | b"??"
            | b"+"
            | b"*"
            | b"/"
            | b"%"
            | b"**"
            | b"^"
            | b"~"
            | b"!"
            | b"=="
            | b"!="
            | b"==="
            | b"!=="
            | b"++"
            | b"--"
            | b"<="
            | b"?."
            | b"..."
            | b"@"
            | b"#"
            | b"+="
            | b"-="
            | b"*="
            | b"/="
            | b"%="
            | b"**="
            | b"<<="
            | b"&="
            | b"|="
            | b"^="
            | b"&&="
            | b"||="
            | b"??="
    )
}
