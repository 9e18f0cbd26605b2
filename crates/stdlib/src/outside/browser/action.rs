//! What a driver can be asked to do.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A page of a driver's, for as long as it is open.
pub type PageId = u32;

/// One thing to do in a browser. Times are in milliseconds; a timeout of 0 is none.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
#[expect(missing_docs, reason = "fields are what their action says")]
pub enum Action {
    /// Opens a page: its number.
    NewPage,
    /// Closes one.
    Close { page: PageId },
    /// Goes somewhere: `{ url, status }` of the document's answer, or `null` where there was none.
    Goto {
        page: PageId,
        #[serde(default)]
        frame: Option<String>,
        url: String,
        #[serde(default)]
        referer: Option<String>,
        wait: LoadState,
        timeout: u64,
    },
    /// Loads the page again.
    Reload { page: PageId, wait: LoadState, timeout: u64 },
    /// Goes back (-1) or forward (1): `false` if there is nothing there.
    History { page: PageId, by: i32, wait: LoadState, timeout: u64 },
    /// Replaces the document.
    SetContent {
        page: PageId,
        #[serde(default)]
        frame: Option<String>,
        html: String,
        wait: LoadState,
        timeout: u64,
    },
    /// Waits until a document has loaded so far.
    WaitForLoad {
        page: PageId,
        #[serde(default)]
        frame: Option<String>,
        wait: LoadState,
        timeout: u64,
    },
    /// Waits until the page has moved more often than that.
    WaitForMove { page: PageId, moves: u64, timeout: u64 },
    /// A document as HTML.
    Content {
        page: PageId,
        #[serde(default)]
        frame: Option<String>,
    },
    /// A document's title.
    Title {
        page: PageId,
        #[serde(default)]
        frame: Option<String>,
    },
    /// Clicks, or with `clicks: 0` hovers.
    Click {
        #[serde(flatten)]
        target: Target,
        #[serde(default)]
        button: MouseButton,
        clicks: u32,
        #[serde(default)]
        position: Option<Place>,
        #[serde(default)]
        modifiers: Vec<String>,
        #[serde(default)]
        delay: u64,
    },
    /// Drags one element onto another.
    Drag {
        #[serde(flatten)]
        target: Target,
        to: Selector,
    },
    /// Sets what an input holds.
    Fill {
        #[serde(flatten)]
        target: Target,
        value: String,
    },
    /// Types into an element, a key at a time.
    Type {
        #[serde(flatten)]
        target: Target,
        text: String,
        #[serde(default)]
        delay: u64,
    },
    /// Presses a key, or several at once (`Control+A`).
    Press {
        #[serde(flatten)]
        target: Target,
        key: String,
        #[serde(default)]
        delay: u64,
    },
    /// Clicks a checkbox or radio button unless it stands as it is to.
    Check {
        #[serde(flatten)]
        target: Target,
        checked: bool,
    },
    /// Selects options of a `<select>`: their values.
    Select {
        #[serde(flatten)]
        target: Target,
        options: Vec<Choice>,
    },
    /// Gives an `<input type=file>` its files.
    SetFiles {
        #[serde(flatten)]
        target: Target,
        files: Vec<File>,
    },
    /// `focus`, `blur`, `scroll` or `select`.
    Do {
        #[serde(flatten)]
        target: Target,
        verb: String,
    },
    /// Sends an element an event that a script makes.
    Dispatch {
        #[serde(flatten)]
        target: Target,
        r#type: String,
        #[serde(default)]
        init: Value,
    },
    /// Asks something of an element, or of all that match.
    Query {
        #[serde(flatten)]
        target: Target,
        what: What,
        #[serde(default)]
        name: Option<String>,
    },
    /// Waits for an element to be there, or not.
    WaitFor {
        #[serde(flatten)]
        target: Target,
        state: State,
    },
    /// Waits until what is expected holds: `{ holds, received, isMissing, log }`. See `crates/browser/js/read.js` for the matchers.
    Expect {
        #[serde(flatten)]
        target: Target,
        matcher: String,
        is_not: bool,
        #[serde(default)]
        how: Value,
    },
    /// Evaluates an expression, or calls a function with an argument, in the page; with a selector the first argument is the element, or with `all` the list of them.
    /// The argument and the result are as `browser-page.ts` writes them.
    Evaluate {
        #[serde(flatten)]
        target: Target,
        source: String,
        is_function: bool,
        #[serde(default)]
        argument: Value,
        all: bool,
        /// What `{ $handle: n }` in the argument stands for. One that comes first is the first argument, with `subject`.
        #[serde(default)]
        handles: Vec<Handle>,
        /// The first handle is what the function is called with first.
        #[serde(default)]
        subject: bool,
        /// The result stays where it is: `{ object }`, or `{ element }` of an element, or `{ value }` of what is neither. It is let go of when the run ends.
        #[serde(default)]
        keep: bool,
    },
    /// Lets go of what was kept.
    Release { page: PageId, object: String },
    /// A key of the keyboard.
    Keyboard {
        page: PageId,
        what: Key,
        text: String,
        #[serde(default)]
        delay: u64,
    },
    /// The mouse.
    Mouse {
        page: PageId,
        what: Mouse,
        x: f64,
        y: f64,
        #[serde(default)]
        button: MouseButton,
        #[serde(default)]
        clicks: u32,
    },
    /// How large the page is shown.
    Viewport { page: PageId, width: u32, height: u32 },
    /// The page as text: `{ text, left, url, title }`.
    Snapshot {
        #[serde(flatten)]
        target: Target,
        most: usize,
        is_diff: bool,
        urls: bool,
    },
    /// A picture of the page, of all of it, or of an element: a file.
    Screenshot {
        #[serde(flatten)]
        target: Target,
        #[serde(default)]
        full_page: bool,
        #[serde(default)]
        format: Format,
        #[serde(default)]
        quality: Option<u8>,
    },
    /// The page on paper: a PDF file.
    Pdf { page: PageId, landscape: bool, background: bool },
    /// Runs a script in each document before its own.
    InitScript { source: String },
    /// Puts a function into the documents of a page, or of all (page 0), that are there and that come. To call it is to tell it: [`super::Happened::Called`]. It has a method
    /// `settle(id, value, why)`, which answers a call: with a value, or with why there is none.
    Expose { page: PageId, name: String },
    /// What the browser keeps for its sites.
    Storage { what: Storage },
    /// Answers the dialog that is open.
    Dialog {
        page: PageId,
        accept: bool,
        #[serde(default)]
        text: Option<String>,
    },
    /// What the page has written to its console, or thrown, lately.
    Said { page: PageId, what: Said },
    /// What is done with a download. Its content is a file.
    Download { page: PageId, download: u32, what: DownloadVerb },
    /// The body of an answer, as long as the browser has it: a file.
    Body { page: PageId, request: String },
    /// The content of a frame's document as it came: a file.
    Source {
        page: PageId,
        #[serde(default)]
        frame: Option<String>,
    },
    /// What becomes of a request that waits.
    Route { page: PageId, paused: String, verdict: Verdict },
    /// A reference to the element, by which it is found as long as it is there.
    Refer {
        #[serde(flatten)]
        target: Target,
        #[serde(default)]
        all: bool,
    },
    /// What the page is made to believe.
    Emulate { page: PageId, what: Emulation },
    /// Shows the page before the others.
    Front { page: PageId },
    /// The readable part of the page as Markdown: `{ text, left }`.
    Markdown {
        #[serde(flatten)]
        target: Target,
        most: usize,
    },
}

/// What a page has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    /// Messages of its console.
    Console,
    /// What its scripts have thrown.
    Errors,
}

/// What is done with a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DownloadVerb {
    /// Waits until it is there: its content.
    Read,
    /// Waits until it is over: why it has failed, or `null`.
    Failure,
    /// Ends it.
    Cancel,
}

/// What becomes of a request that waits.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
#[expect(missing_docs, reason = "fields are what their variant says")]
pub enum Verdict {
    /// It is made, with what is said here instead of its own.
    Continue {
        #[serde(default)]
        url: Option<String>,
        #[serde(default)]
        method: Option<String>,
        #[serde(default)]
        headers: Option<Vec<(String, String)>>,
        /// As base64.
        #[serde(default)]
        body: Option<String>,
    },
    /// It is answered with this.
    Fulfill {
        status: u16,
        headers: Vec<(String, String)>,
        /// As base64.
        body: String,
    },
    /// It fails, for a reason that Chromium has a name for (`Failed`, `Aborted`, `ConnectionRefused`).
    Abort { why: String },
}

/// What a page is made to believe.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
#[expect(missing_docs, reason = "fields are what their variant says")]
pub enum Emulation {
    /// The medium (`screen`, `print`, or none) and features of it, such as `prefers-color-scheme`. It is of this page.
    Media { media: Option<String>, features: Vec<(String, String)> },
    /// Where it is; `None` is unknown. This and the others are of all pages.
    Geolocation { place: Option<Geolocation> },
    /// What it may, for an origin or for all; `None` is what it may by itself.
    Permissions { names: Option<Vec<String>>, origin: Option<String> },
    /// That there is no network.
    Offline { offline: bool },
    /// Headers that go with each request.
    Headers { headers: Vec<(String, String)> },
    /// Who it is, for servers that ask: the first that is for an origin, or for all.
    Credentials { credentials: Vec<Credentials> },
}

/// What a server is shown that asks who it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Credentials {
    /// Who.
    pub username: String,
    /// Their secret.
    pub password: String,
    /// As in `https://example.com:8443`; `None` is every one.
    #[serde(default)]
    pub origin: Option<String>,
}

/// A place on the earth.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Geolocation {
    /// Degrees to the north.
    pub latitude: f64,
    /// Degrees to the east.
    pub longitude: f64,
    /// Metres.
    #[serde(default)]
    pub accuracy: f64,
}

/// Elements of a page, and how they are waited for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The page.
    pub page: PageId,
    /// The frame in it that is looked in; the main one if none is said.
    #[serde(default)]
    pub frame: Option<String>,
    /// Which elements.
    #[serde(default)]
    pub selector: Selector,
    /// More than one is an error.
    #[serde(default)]
    pub strict: bool,
    /// Whether the element is ready is not looked at.
    #[serde(default)]
    pub force: bool,
    /// How long.
    #[serde(default)]
    pub timeout: u64,
}

/// Something in a page that a script holds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Handle {
    /// What an evaluation has kept.
    Object {
        /// Which.
        object: String,
    },
    /// An element.
    Element {
        /// The frame that it is in.
        #[serde(default)]
        frame: Option<String>,
        /// Which.
        selector: Selector,
    },
}

/// Parts that go on from what those before have found. None is the document.
pub type Selector = Vec<Part>;

/// A part of a selector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
#[expect(missing_docs, reason = "fields are what their part says")]
pub enum Part {
    /// CSS, through open shadow roots.
    Css { css: String },
    /// XPath, not through them.
    Xpath { xpath: String },
    /// The innermost elements with this text.
    Text {
        #[serde(flatten)]
        text: TextMatch,
    },
    /// Elements with this label.
    Label {
        #[serde(flatten)]
        text: TextMatch,
    },
    /// Elements with an attribute.
    Attribute {
        name: String,
        #[serde(flatten)]
        text: TextMatch,
    },
    /// Elements with a role, and with these properties of it.
    Role {
        role: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<TextMatch>,
        #[serde(skip_serializing_if = "Option::is_none")]
        checked: Option<Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        disabled: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        expanded: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        level: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pressed: Option<Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        selected: Option<bool>,
        #[serde(default)]
        include_hidden: bool,
    },
    /// The element that a snapshot has called this.
    Reference { reference: String },
    /// One of them; from the end where it is negative.
    Nth { index: i64 },
    /// Those that are visible, or not.
    Visible { visible: bool },
    /// Those with this text.
    HasText {
        #[serde(flatten)]
        text: TextMatch,
    },
    /// Those without.
    HasNotText {
        #[serde(flatten)]
        text: TextMatch,
    },
    /// Those with such an element in them.
    Has { selector: Selector },
    /// Those without.
    HasNot { selector: Selector },
    /// Those that the other finds too.
    And { selector: Selector },
    /// These, and what the other finds.
    Or { selector: Selector },
    /// On in the document of the frame that was found.
    Frame,
}

/// What a text is to be like. White space counts as one space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TextMatch {
    /// This, or with `exact` not something that only contains it, in whatever case.
    Text {
        /// The text.
        text: String,
        /// All of it, in this case.
        #[serde(default)]
        exact: bool,
    },
    /// What a regular expression of JavaScript matches.
    Expression {
        /// Its source.
        source: String,
        /// Its flags.
        flags: String,
    },
}

/// How far a document has loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LoadState {
    /// It has begun.
    Commit,
    /// It is parsed.
    DomContentLoaded,
    /// All of it is there.
    Load,
    /// For half a second nothing was asked of the network.
    NetworkIdle,
}

/// A button of the mouse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MouseButton {
    /// The first.
    #[default]
    Left,
    /// The second.
    Right,
    /// The third.
    Middle,
}

/// A place in an element, from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

/// An option to select: by whatever is said of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Its value or its label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any: Option<String>,
    /// Its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Its label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Which one it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
}

/// A file for a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its type.
    pub mime_type: String,
    /// Its content, as base64.
    pub data: String,
}

/// What is asked of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum What {
    /// Its text.
    TextContent,
    /// Its text as it is shown.
    InnerText,
    /// What is in it, as HTML.
    #[serde(rename = "innerHTML")]
    InnerHtml,
    /// What an input holds.
    InputValue,
    /// An attribute, by its name.
    Attribute,
    /// Whether it can be used.
    Enabled,
    /// Whether not.
    Disabled,
    /// Whether it can be written to.
    Editable,
    /// Whether a checkbox or radio button is.
    Checked,
    /// Roles, names, states and texts in it, as YAML.
    Aria,
    /// Where it is, or `null`.
    Box,
    /// The frame that is in it: which one.
    ContentFrame,
    /// Whether there is one, and it is visible. Waits for nothing.
    Visible,
    /// How many match. Waits for nothing.
    Count,
    /// The texts of all that match. Waits for nothing.
    AllTextContents,
    /// The same as they are shown.
    AllInnerTexts,
}

/// What an element is waited to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// In the document.
    Attached,
    /// Not in it.
    Detached,
    /// Seen.
    Visible,
    /// Not seen, or not there.
    Hidden,
}

/// What is done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Key {
    /// Down and up again.
    Press,
    /// Down.
    Down,
    /// Up.
    Up,
    /// A text, a key at a time.
    Type,
    /// A text, at once.
    Insert,
}

/// What is done with the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mouse {
    /// There, pressed and released.
    Click,
    /// There.
    Move,
    /// Pressed where it is.
    Down,
    /// Released where it is.
    Up,
    /// The wheel, by so much.
    Wheel,
}

/// How a picture is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// PNG.
    #[default]
    Png,
    /// JPEG.
    Jpeg,
}

/// What is done with what sites keep.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase")]
#[non_exhaustive]
#[expect(missing_docs, reason = "fields are what their variant says")]
pub enum Storage {
    /// The cookies, all or those for addresses.
    Cookies { urls: Vec<String> },
    /// Sets cookies.
    AddCookies { cookies: Vec<Cookie> },
    /// Removes all.
    ClearCookies,
    /// What local storage holds, of the origins that are open: a list of [`OriginStorage`].
    LocalStorage,
    /// Puts it there.
    SetLocalStorage { origins: Vec<OriginStorage> },
}

/// The local storage of an origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginStorage {
    /// Whose it is.
    pub origin: String,
    /// Names and values.
    pub items: Vec<(String, String)>,
}

/// A cookie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whose it is, unless `url` says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// For which paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When it ends, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<f64>,
    /// Not for scripts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_only: Option<bool>,
    /// For https alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure: Option<bool>,
    /// `Strict`, `Lax` or `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_site: Option<String>,
}
