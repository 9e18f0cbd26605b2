//! What the look knows of one bracket.

/// Where a pattern of parameters may be looked ahead over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    No,
    Object,
    List,
}

/// One bracket, or the whole.
pub(super) struct Level {
    pub(super) bracket: u8,
    /// Behind `if`, `for`, `while` or `with`.
    pub(super) is_head: bool,
    /// How often what is in it is read because of what is around it.
    pub(super) around: u64,
    /// Of what has begun in it: casts, calls with type arguments and bodies of arrow functions, each read twice and so the whole of them.
    pub(super) doubled: u64,
    /// Type arguments that are open: each `<` is tried by up to five rules, and what the type arguments within it are, is tried with it.
    pub(super) angles: u64,
    /// `:` behind a parenthesis, which begins the type that an arrow function returns, and `infer X extends`: each is read once more.
    pub(super) types: u64,
    pub(super) infers: u64,
    /// A conditional is open here or around: bodies of arrow functions are tried there.
    pub(super) conditional: bool,
    pub(super) conditional_around: bool,
    /// A conditional type may be.
    pub(super) extends: bool,
    pub(super) pattern: Pattern,
    /// A default in a pattern that is looked ahead over.
    pub(super) has_default: bool,
    pub(super) has_comma: bool,
    pub(super) first_token: u64,
    /// Tokens of the last bracket that closed in it.
    pub(super) last_group: u64,
    pub(super) recursion: usize,
    pub(super) chain: usize,
    /// `else` that hang on each other.
    pub(super) elses: usize,
    /// What may be labels that do.
    pub(super) labels: u64,
    /// How often what is in it is made anew: classes in the expression of a class's decorator twice and so on, those in its body less often.
    pub(super) copies: u64,
    /// The statement has a decorator.
    pub(super) decorates: bool,
    /// How often the passes of what is written out anew look at what is in it because of what is around it, and the `extends` of classes that are open here:
    /// what stands behind one is looked at twice.
    pub(super) passes: u64,
    pub(super) heritages: u32,
}

impl Level {
    pub(super) fn new(bracket: u8, around: u64, conditional: bool, pattern: Pattern, first_token: u64) -> Self {
        Self {
            bracket,
            is_head: false,
            around,
            doubled: 0,
            angles: 0,
            types: 0,
            infers: 0,
            conditional,
            conditional_around: conditional,
            extends: false,
            pattern,
            has_default: false,
            has_comma: false,
            first_token,
            last_group: 0,
            recursion: 0,
            chain: 0,
            elses: 0,
            labels: 0,
            copies: 1,
            decorates: false,
            passes: 1,
            heritages: 0,
        }
    }

    /// How often the passes look at a token here.
    pub(super) fn passes(&self) -> u64 {
        self.passes.saturating_mul(1_u64.checked_shl(self.heritages).unwrap_or(u64::MAX))
    }

    /// How often a token here may be read.
    pub(super) fn readings(&self) -> u64 {
        let doubled = 1_u64.checked_shl(u32::try_from(self.doubled).unwrap_or(u32::MAX)).unwrap_or(u64::MAX);
        let default = if self.has_default { 3 } else { 1 };
        let types = 1 + 5 * self.angles + self.types + self.infers;
        self.around.saturating_mul(doubled).saturating_mul(default).saturating_mul(types)
    }

    /// Nothing that is tried goes on: an expression or a type is over.
    pub(super) fn no_trial(&mut self) {
        self.no_type();
        (self.doubled, self.conditional, self.extends) = (0, self.conditional_around, false);
    }

    /// Nothing hangs on what comes: a statement is over.
    pub(super) fn no_chain(&mut self) {
        (self.recursion, self.chain) = (0, 0);
    }

    /// No type goes on here.
    pub(super) fn no_type(&mut self) {
        (self.angles, self.types, self.infers) = (0, 0, 0);
    }
}
