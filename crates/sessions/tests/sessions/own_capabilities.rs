//! What plugins may ask for of an embedder's own provisions.

use std::sync::Arc;

use perennial_sessions::bundler::MemoryFiles;
use perennial_sessions::{
    Allow, Area, Bound, Capability, ErrorKind, Library, LibraryError, OpError, OpTable, OpValue, PluginHost,
    PluginOptions, PluginSet, Provision, Provisions, RunRequest, ScriptResult, SessionKey, SessionTable, TableConfig,
};
use serde_json::{Value, json};

/// Accounts that plugins may look into. What it says of itself can be bent.
#[derive(Clone, Copy)]
struct Ledger {
    name: &'static str,
    key: &'static str,
    context: &'static str,
    maker: &'static str,
}

const LEDGER: Ledger = Ledger { name: "ledger", key: "ledger", context: "books", maker: "ledgerFor" };

struct Accounts(Ledger);

impl Capability for Accounts {
    type Grant = Vec<String>;

    fn key(&self) -> &'static str {
        self.0.key
    }

    fn context_key(&self) -> &'static str {
        self.0.context
    }

    fn maker(&self) -> &'static str {
        self.0.maker
    }

    fn check(&self, asked: &Value) -> Result<(), Vec<String>> {
        let all = asked.as_array().is_some_and(|all| all.iter().all(Value::is_string));
        if all { Ok(()) } else { Err(vec![": not a list of accounts".to_owned()]) }
    }

    fn items(&self, asked: &Value) -> Vec<String> {
        asked.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }

    fn within(&self, asked: &Value, most: &Value) -> (Value, Value) {
        let most = self.items(most);
        let (within, beyond): (Vec<_>, Vec<_>) = self.items(asked).into_iter().partition(|item| most.contains(item));
        (within.into(), beyond.into())
    }

    fn grant(&self, granted: &Value, _: &Value, _: &PluginHost<'_>) -> Result<Vec<String>, String> {
        Ok(self.items(granted))
    }
}

impl Provision for Ledger {
    type Session = ();

    fn name(&self) -> &'static str {
        self.name
    }

    fn declare(&self, library: &mut Library) {
        let grants = library.capability(Accounts(*self));
        let op = format!("{}_look", self.name);
        library.ops(OpTable::new().sync(&op, Bound::SMALL, move |_, args| {
            let text = |index: usize| args.get(index).and_then(OpValue::as_str).unwrap_or_default();
            let (plugin, account) = (text(0), text(1));
            match grants.get(plugin) {
                Some(accounts) if accounts.iter().any(|known| known == account) => Ok(json!(account.len()).into()),
                _ => Err(OpError::permission(&format!("{account} for plugin {plugin}"), "its allow.ledger")),
            }
        }));
        let source = format!(
            "((ops) => ({{ {0}For: (plugin) => ({{ look: (account) => ops.{op}(plugin, account) }}), {0}: 1 }}))",
            self.name
        );
        let internal = format!("{}For", self.name);
        library.area(Area::new(self.name, &[self.name], source).with_internals(&[&internal]));
    }

    fn open(&self, _: &SessionKey, _: Option<&perennial_sessions::Snapshot>) {}
}

const PLUGIN: &str = "export default { name: 'books', version: '1.0.0', description: 'looks', allow: { ledger: ['ada', 'bob', 'eve'] }, tools: {
    look: { description: 'l', input: {}, run: ({ account }, ctx) => ctx.books.look(account) },
    keys: { description: 'k', input: {}, run: (_, ctx) => Object.keys(ctx) } } };";
const OTHER: &str = "export default { name: 'other', version: '1.0.0', description: 'asks for nothing', tools: {
    look: { description: 'l', input: {}, run: ({ account }, ctx) => ctx.books.look(account) } } };";

async fn load(provisions: &Provisions, ceiling: Value) -> PluginSet {
    let files = MemoryFiles::new();
    files.write("/books.ts", PLUGIN.to_owned());
    files.write("/other.ts", OTHER.to_owned());
    let options = PluginOptions::default().configure(|options| {
        options.ceiling = Allow::parse_with(&ceiling, provisions).unwrap();
        options.files = Arc::new(files);
        options.provisions = provisions.clone();
    });
    PluginSet::load(&["/books.ts".into(), "/other.ts".into()], &options).await
}

fn table(provisions: &Provisions, plugins: &PluginSet) -> Result<SessionTable, LibraryError> {
    let (provisions, plugins) = (provisions.clone(), Some(plugins.clone()));
    SessionTable::try_with_config(TableConfig::default().configure(|config| {
        config.provisions = provisions;
        config.plugins = plugins;
    }))
}

async fn run(table: &SessionTable, script: &str) -> ScriptResult {
    table.run("s", RunRequest::new(script)).await
}

#[tokio::test]
async fn a_plugin_has_what_it_asks_for_within_what_the_operator_grants() {
    let provisions = Provisions::new().with(LEDGER);
    let plugins = load(&provisions, json!({"ledger": ["ada", "bob"]})).await;
    assert_eq!(plugins.failures(), []);
    let books = plugins.plugins().next().unwrap();
    assert_eq!(
        (books.granted.summary(), books.withheld.summary()),
        ("ledger ada, bob".to_owned(), "ledger eve".to_owned())
    );
    let table = table(&provisions, &plugins).unwrap();
    assert_eq!(run(&table, "await tools.books.look({ account: 'ada' })").await.value, Some(json!(3)));
    let keys = run(&table, "(await tools.books.keys({})).sort()").await.value;
    assert_eq!(keys, Some(json!(["books", "commands", "fetch", "fs", "plugin"])));
    for (script, part) in [
        ("await tools.books.look({ account: 'eve' })", "eve for plugin books"),
        // Who asked for nothing has what refuses, under its own name.
        ("await tools.other.look({ account: 'ada' })", "ada for plugin other"),
    ] {
        let error = run(&table, script).await.error.unwrap();
        assert_eq!(error.kind, ErrorKind::Permission, "{script}: {error:?}");
        assert!(error.message.contains(part), "{}", error.message);
    }
    // What makes it is the library's own.
    assert_eq!(
        run(&table, "typeof ledgerFor + typeof globalThis.ledgerFor + ledger").await.value,
        Some(json!("undefinedundefined1"))
    );
    // Nothing is granted where the operator grants nothing.
    let bare = load(&provisions, json!({})).await;
    table.set_plugins(&bare).unwrap();
    let error = run(&table, "await tools.books.look({ account: 'ada' })").await.error.unwrap();
    assert_eq!(error.kind, ErrorKind::Permission);
}

#[tokio::test]
async fn a_set_is_of_no_use_where_nothing_serves_what_it_was_granted() {
    let provisions = Provisions::new().with(LEDGER);
    let plugins = load(&provisions, json!({"ledger": ["ada"]})).await;
    let wanted = LibraryError::Capability { plugin: "books".to_owned(), key: "ledger".to_owned() };
    // Neither where there is none, nor where there is another of the same name, which has not granted it.
    let others = [Provisions::new(), Provisions::new().with(LEDGER)];
    for others in &others {
        assert_eq!(table(others, &plugins).err(), Some(wanted.clone()));
        let table = table(others, &PluginSet::empty()).unwrap();
        assert_eq!(table.set_plugins(&plugins), Err(wanted.clone()));
        assert!(table.plugins() == PluginSet::empty(), "it has what it had");
        assert!(run(&table, "1").await.is_ok());
    }
    // Where it is not known it is a word that nobody understands.
    let unknown = load(&Provisions::new(), json!({})).await;
    let problems = &unknown.failures()[0].problems;
    assert_eq!(problems, &["allow: there is no 'ledger'".to_owned()]);
    // Granted nothing, it can be used anywhere.
    let bare = load(&provisions, json!({})).await;
    assert!(table(&others[0], &bare).is_ok());
}

#[tokio::test]
async fn names_of_capabilities_are_of_one_provision_each() {
    let bad = |ledger: Ledger| table(&Provisions::new().with(ledger), &PluginSet::empty()).err();
    let name = |error: Option<LibraryError>, wanted: &str| {
        assert!(matches!(&error, Some(LibraryError::Name { name, .. }) if name == wanted), "{error:?}");
        error.unwrap().to_string()
    };
    assert!(name(bad(Ledger { key: "net", ..LEDGER }), "net").contains("ledger"));
    assert!(name(bad(Ledger { context: "fetch", ..LEDGER }), "fetch").contains("ledger"));
    assert!(name(bad(Ledger { context: "plugin", ..LEDGER }), "plugin").contains("ledger"));
    let maker = |maker: &str| Some(LibraryError::Maker { key: "ledger".to_owned(), maker: maker.to_owned() });
    assert_eq!(bad(Ledger { maker: "nobody", ..LEDGER }), maker("nobody"));
    // What scripts see too is no secret.
    assert_eq!(bad(Ledger { maker: "ledger", ..LEDGER }), maker("ledger"));
    assert_eq!(bad(LEDGER), None);
}
