// A small shop: who logs in may order.
import http from "node:http";

const goods = { tea: 3, cake: 4, bread: 2 };
const page = (title, body) => `<!doctype html><title>${title}</title><nav><a href="/">Shop</a></nav><main><h1>${title}</h1>${body}</main>`;

http
  .createServer(async (request, response) => {
    const sent = new URLSearchParams(await new Promise((resolve) => {
      let body = "";
      request.on("data", (piece) => (body += piece)).on("end", () => resolve(body));
    }));
    const who = /(?:^|; )who=(\w+)/.exec(request.headers.cookie ?? "")?.[1];
    const show = (title, body, headers = {}) => response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...headers }).end(page(title, body));
    if (request.url === "/login" && /^\w+$/.test(sent.get("name") ?? "")) {
      return response.writeHead(303, { location: "/", "set-cookie": `who=${sent.get("name")}; Path=/; HttpOnly` }).end();
    }
    if (who === undefined) return show("Log in", '<form method="post" action="/login"><label>Name <input name="name"></label><button>Log in</button></form>');
    if (request.url === "/order") {
      const rows = Object.keys(goods).filter((name) => Number(sent.get(name)) > 0).map((name) => [name, sent.get(name), goods[name] * Number(sent.get(name))]);
      const lines = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("");
      return show("Order", `<p>Thank you, ${who}.</p><table><tr><th>What</th><th>How many</th><th>Price</th></tr>${lines}</table>`);
    }
    const inputs = Object.keys(goods).map((name) => `<p><label>${name} <input type="number" name="${name}" value="0"></label></p>`).join("");
    return show(`Hello, ${who}`, `<form method="post" action="/order">${inputs}<button>Order</button></form>`);
  })
  .listen(Number(process.argv[2]), "127.0.0.1");
