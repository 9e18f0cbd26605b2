import { assertEquals, assertThrows, test } from "perennial:test";

const page = `<!DOCTYPE html><html lang=en><head><title>A &amp; B</title><meta name="description" content="Two &quot;letters&quot;">
<meta property="og:title" content="AB"><link rel="canonical" href="https://x.org/ab">
<script type="application/ld+json">{"@type": "Thing", "name": "<b>"}</script><style>p { color: red }</style></head>
<body><h1>Head<em>line</em></h1><p>One<br>two &#8212; &#x41;<p>three <a href="../c?d=1#e">See <b>this</b></a><a name=x>no</a>
<table><caption>Prices</caption><tr><th>Fruit<th>Price<tr><td>Apple<td>3<tr><td>Pear</table>
<table><tr><td colspan=2>wide<td>last</tr></table><script>document.write("<p>not text</p>")</script><!-- <p>nor this</p> --></body></html>`;

test("text is what a person reads", async () => {
  const text = await tools.html.text({ html: page });
  assertEquals(text.split("\n").filter(Boolean).slice(0, 4), ["Headline", "One", "two — A", "three See thisno"]);
  assertEquals(text.includes("not text") || text.includes("nor this") || text.includes("color"), false);
});

test("links are absolute if there is a base", async () => {
  assertEquals(await tools.html.links({ html: page }), [{ href: "../c?d=1#e", text: "See this" }]);
  const base = "https://x.org/a/b/page.html?q#f";
  const resolved = async (href: string) => (await tools.html.links({ html: `<a href="${href}">`, base }))[0].href;
  assertEquals(await resolved("../c?d=1#e"), "https://x.org/a/c?d=1#e");
  assertEquals(await resolved("/top"), "https://x.org/top");
  assertEquals(await resolved("//other.org/x"), "https://other.org/x");
  assertEquals(await resolved("#here"), "https://x.org/a/b/page.html?q#here");
  assertEquals(await resolved("mailto:a@b.c"), "mailto:a@b.c");
  assertEquals(await resolved("../../../../up/./x/.."), "https://x.org/up/");
});

test("tables are rows by the names of their header", async () => {
  assertEquals(await tools.html.tables({ html: page }), [
    { caption: "Prices", columns: ["Fruit", "Price"], rows: [{ Fruit: "Apple", Price: "3" }, { Fruit: "Pear", Price: "" }] },
    { rows: [["wide", "wide", "last"]] },
  ]);
});

test("metadata is what the page says of itself", async () => {
  assertEquals(await tools.html.metadata({ html: page }), {
    language: "en", title: "A & B", description: 'Two "letters"', canonical: "https://x.org/ab", openGraph: { title: "AB" },
    jsonLd: [{ "@type": "Thing", name: "<b>" }],
  });
  assertEquals(await tools.html.metadata({ html: "" }), {});
});

test("everyday sloppiness is read as browsers read it", async () => {
  assertEquals(await tools.html.links({ html: "<a href=https://e.org/>Home</a>" }), [{ href: "https://e.org/", text: "Home" }]);
  assertEquals(await tools.html.text({ html: '<p class="a" ">hello<p data-x=it\'s>there' }), "hello\n\nthere");
  assertEquals(await tools.html.text({ html: "R&D &constructor; &toString; <b>a<constructor>b</b>" }), "R&D &constructor; &toString; ab");
  assertEquals(await tools.html.text({ html: "<div/>a<svg><path/><text>b</text></svg> 1 < 2 <3" }), "ab 1 < 2 <3");
  assertEquals(await tools.html.text({ html: "<p>x</p><pre>if (a)\n  b  ;</pre>" }), "x\n\nif (a)\n  b  ;");
  assertEquals(await tools.html.tables({ html: "<table><tr></tr><tr><td>1<td>2</table>" }), [{ rows: [["1", "2"]] }]);
  assertEquals(await tools.html.tables({ html: "<table><tr><th>a<th>a<tr><td>1<td>2</table>" }), [{ columns: ["a", "a_2"], rows: [{ a: "1", a_2: "2" }] }]);
});

test("addresses, comments and cells that span rows are what browsers make of them", async () => {
  const href = async (html: string) => (await tools.html.links({ html }))[0].href;
  assertEquals(await href('<a href=" ?a=1&copy=2&amp;b=3&sect ">'), "?a=1&copy=2&b=3§");
  assertEquals((await tools.html.links({ html: '<base href="/b/"><a href="c">', base: "https://x.org/a/" }))[0].href, "https://x.org/b/c");
  assertEquals(await tools.html.text({ html: "<p>a<!-->b<!--->c<!-- x --!>d<!-- y -->e &#99999999;" }), "abcde \ufffd");
  assertEquals(await tools.html.text({ html: "<pre>\n a</pre>" }), " a");
  assertEquals(await tools.html.tables({ html: "<table><tr><th>a<th>b<tr><td rowspan=2>1<td>2<tr><td>3</table>" }), [
    { columns: ["a", "b"], rows: [{ a: "1", b: "2" }, { a: "1", b: "3" }] },
  ]);
});

test("small pages that were made to be slow are not", async () => {
  for (const part of ["<a ", '<a "', "<a b='", "<!", "<!--", "</a ", "&amp", "<script>", "<pre> ", "< ", "<td>", "<p>", "<b></i>"]) {
    for (const tool of [tools.html.text, tools.html.links, tools.html.tables, tools.html.metadata]) await tool({ html: part.repeat(10000) });
  }
});

test("broken and hostile pages do no harm", async () => {
  for (const html of ["<", "<a", "</", "<a href='", "&#x110000;&#xd800;&nope;", "<div>".repeat(5000), "<!--", "<script>", "<b></i></b>"]) {
    await tools.html.text({ html });
    await tools.html.tables({ html });
  }
  await assertThrows(() => tools.html.text({ html: 5 as any }), "html.text: args.html");
});
