//! Module graphs: everything that a module imports, in the order in which it is evaluated.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, Hash, RandomState};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use crate::commonjs::{Required, assemble, facade};
use crate::diagnostics::{Problem, SourceError};
use crate::links::{collect_exports, exported_names, no_export};
use crate::node::{Content, Node};
use crate::prepare::Prepared;
use crate::resolve::NODE;
use crate::survey::Import;

/// A module with everything settled: what it imports is named by keys.
#[derive(Clone, Debug)]
pub struct Module {
    /// Stands for the content of this module and of everything it imports; the same only in this process.
    pub key: String,
    /// What positions call it: a path below its root.
    pub name: String,
    /// The text to compile, and the way back to its source.
    pub prepared: Prepared,
    /// Keys of what it imports when it is linked.
    pub imports: Vec<String>,
    /// Whether it awaits at its top level.
    pub awaits: bool,
    pub(crate) path: Option<PathBuf>,
}

impl Module {
    /// The name of the host's module that this is; a file never has one.
    pub fn provided(&self) -> Option<&str> {
        self.path.is_none().then_some(&*self.name)
    }
}

/// A module and all that it imports.
#[derive(Clone, Debug)]
pub struct Graph {
    /// In order of evaluation; the module that was asked for is the last. Of modules that import each other, the one that was reached first
    /// comes first: evaluating it evaluates the others.
    pub modules: Vec<Arc<Module>>,
    root: Arc<Module>,
    exports: BTreeSet<String>,
}

impl Graph {
    /// The module that was asked for.
    pub fn root(&self) -> &Arc<Module> {
        &self.root
    }

    /// Whether the module that was asked for exports what an import of it takes.
    ///
    /// # Errors
    /// What it does not export, in the source that imports.
    pub fn check(&self, import: &Import) -> Result<(), SourceError> {
        let missing = import.names.iter().filter(|(name, _)| !self.exports.contains(name));
        let problems: Vec<Problem> = missing
            .map(|(name, range)| {
                Problem::at(range.clone(), no_export(&format!("'{}'", import.specifier), name, &self.exports))
            })
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(SourceError { problems }) }
    }
}

/// Two hashes with keys of their own, made when the process starts: nobody can make two contents meet.
static HASHERS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);

pub(crate) fn hash(value: impl Hash) -> u128 {
    let [low, high] = &*HASHERS;
    u128::from(low.hash_one(&value)) | u128::from(high.hash_one(&value)) << 64
}

/// A key says in stack traces what it stands for. Only what needs no escaping anywhere is in it.
fn key_of(name: &str, hash: u128) -> String {
    let mut key = String::with_capacity(name.len() + 17);
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '@' | ':' | '+') {
            key.push(c);
        } else {
            key.push('~');
        }
    }
    key.push_str(&format!("#{:016x}", hash as u64));
    key
}

/// Modules that import each other, at the most: QuickJS recurses through them.
const MAX_CYCLE: usize = 150;

/// Puts nodes into order and gives them their keys. Fails with a node and what is wrong with it.
pub(crate) fn finish(nodes: &[Node], root: usize) -> Result<Graph, (usize, String)> {
    let components = components(nodes, root);
    let mut keys: Vec<Option<String>> = vec![None; nodes.len()];
    let mut modules = Vec::with_capacity(nodes.len());
    let mut root_module = None;
    for component in &components {
        if component.len() > MAX_CYCLE {
            let message = format!("{} modules that all import each other are more than {MAX_CYCLE}", component.len());
            return Err((component[0], message));
        }
        let awaits = |node: &&usize| matches!(&nodes[**node].content, Content::EsModule(text) if text.awaits);
        if let Some(node) = component.iter().find(awaits).filter(|_| component.len() > 1) {
            return Err((
                *node,
                "a module that is part of a cycle of imports cannot await at its top level".to_owned(),
            ));
        }
        // The same whichever of them was reached first.
        let mut sorted = component.clone();
        sorted.sort_by(|a, b| (nodes[*a].hash, &nodes[*a].name).cmp(&(nodes[*b].hash, &nodes[*b].name)));
        let place: HashMap<usize, usize> = sorted.iter().enumerate().map(|(place, node)| (*node, place)).collect();
        let parts: Vec<(u128, Vec<String>)> = sorted
            .iter()
            .map(|&node| {
                let imports = nodes[node].edges.iter().map(|edge| match edge {
                    Some(edge) => keys[*edge].clone().unwrap_or_else(|| format!("within:{}", place[edge])),
                    None => "missing".to_owned(),
                });
                (nodes[node].hash, imports.collect())
            })
            .collect();
        let whole = hash(&parts);
        for (index, &node) in sorted.iter().enumerate() {
            let names = exported_names(nodes, node, &mut BTreeSet::new());
            keys[node] = Some(key_of(&nodes[node].name, hash((whole, index, &nodes[node].name, names))));
        }
        for &node in component {
            let module = Arc::new(module(nodes, node, &keys));
            if node == root {
                root_module = Some(module.clone());
            }
            modules.push(module);
        }
    }
    let mut exports = BTreeSet::new();
    collect_exports(nodes, root, &mut exports, &mut BTreeSet::new());
    Ok(Graph { modules, root: root_module.expect("the root is reached from itself"), exports })
}

fn module(nodes: &[Node], index: usize, keys: &[Option<String>]) -> Module {
    let node = &nodes[index];
    let key_at = |import: usize| {
        node.edges.get(import).copied().flatten().and_then(|edge| keys[edge].as_deref()).unwrap_or("missing")
    };
    let (prepared, awaits) = match &node.content {
        Content::EsModule(text) => {
            let keys = text.holes.iter().map(|(at, import)| (*at, key_at(*import)));
            (text.prepared.with_keys(keys), text.awaits)
        }
        Content::CommonJs(text) => {
            let edges = text.imports.iter().zip(&node.edges);
            let required: Vec<(String, Required)> = edges
                .map(|(import, edge)| {
                    (import.specifier.clone(), edge.map_or(Required::Missing, |edge| required(nodes, edge)))
                })
                .collect();
            let exports = text.commonjs.clone().unwrap_or_default();
            let (before, after, holes) = assemble(&required, &exports, &node.name);
            let before = Prepared::generated(before).with_keys(holes.iter().map(|(at, import)| (*at, key_at(*import))));
            (text.prepared.within(before.text.to_string(), &after), false)
        }
        Content::Facade => {
            let (text, at) = facade(&exported_names(nodes, index, &mut BTreeSet::new()));
            (Prepared::generated(text).with_keys([(at, key_at(0))].into_iter()), false)
        }
        Content::Data(prepared) => (prepared.clone(), false),
    };
    Module {
        key: keys[index].clone().expect("keys of a component are there before its modules"),
        name: node.name.clone(),
        prepared,
        imports: node.edges.iter().flatten().filter_map(|edge| keys[*edge].clone()).collect(),
        awaits,
        path: node.path.clone(),
    }
}

fn required(nodes: &[Node], edge: usize) -> Required {
    match nodes[edge].content {
        Content::CommonJs(_) => Required::CommonJs,
        Content::Data(_) => Required::Data,
        // What Node has as a module is a value, which the host's module exports as its default.
        Content::EsModule(_) if nodes[edge].path.is_none() && nodes[edge].name.starts_with(NODE) => Required::Data,
        Content::EsModule(_) | Content::Facade => Required::EsModule,
    }
}

/// Tarjan's algorithm: modules that import each other, imported ones first; within a component, the one that was reached first comes first.
/// Recursion is as deep as imports are chained; callers have a large stack.
fn components(nodes: &[Node], root: usize) -> Vec<Vec<usize>> {
    struct Search<'n> {
        nodes: &'n [Node],
        index: HashMap<usize, usize>,
        low: Vec<usize>,
        stack: Vec<usize>,
        on_stack: Vec<bool>,
        components: Vec<Vec<usize>>,
    }
    fn visit(state: &mut Search<'_>, node: usize) {
        let index = state.index.len();
        state.index.insert(node, index);
        state.low[node] = index;
        state.stack.push(node);
        state.on_stack[node] = true;
        let nodes = state.nodes;
        for edge in nodes[node].edges.iter().flatten().copied() {
            match state.index.get(&edge) {
                None => {
                    visit(state, edge);
                    state.low[node] = state.low[node].min(state.low[edge]);
                }
                Some(known) if state.on_stack[edge] => state.low[node] = state.low[node].min(*known),
                Some(_) => {}
            }
        }
        if state.low[node] == index {
            let from = state
                .stack
                .iter()
                .rposition(|member| *member == node)
                .expect("a node is on the stack until its component is done");
            let component = state.stack.split_off(from);
            component.iter().for_each(|member| state.on_stack[*member] = false);
            state.components.push(component);
        }
    }
    let mut state = Search {
        nodes,
        index: HashMap::new(),
        low: vec![0; nodes.len()],
        stack: Vec::new(),
        on_stack: vec![false; nodes.len()],
        components: Vec::new(),
    };
    visit(&mut state, root);
    state.components
}
