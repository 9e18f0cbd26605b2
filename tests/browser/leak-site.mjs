// Serves the page that tries every way out, on loopback, and says at which port.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

const server = http.createServer((request, response) => {
  const url = new URL(request.url, "http://site");
  if (url.pathname === "/redirect") {
    response.writeHead(302, { location: request.url.slice(request.url.indexOf("?") + 1) });
    return response.end();
  }
  if (url.pathname === "/worker.js") {
    response.writeHead(200, { "content-type": "text/javascript" });
    const fetched = `fetch(${JSON.stringify(url.searchParams.get("to"))}, { mode: "no-cors" }).catch(() => {})`;
    return response.end(`self.addEventListener("install", (event) => event.waitUntil(${fetched}));`);
  }
  const isPage = url.pathname === "/leaks.html";
  const policy = { "content-security-policy-report-only": `img-src 'none'; report-uri http://${url.searchParams.get("to")}:7029/` };
  response.writeHead(isPage ? 200 : 404, { "content-type": "text/html", ...(isPage ? policy : {}) });
  response.end(isPage ? fs.readFileSync(path.join(import.meta.dirname, "pages/leaks.html")) : "");
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
