/// `GET /docs`: the routes and a form to try them, without anything from another host.
enum DocsPage {
    static let page = Reply(contentType: "text/html; charset=utf-8", text: html)
        .with(
            header: "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; "
                + "connect-src 'self'; base-uri 'none'; form-action 'none'; "
                + "frame-ancestors 'none'")

    static let script = Reply(contentType: "text/javascript; charset=utf-8", text: javaScript)

    /// Addresses are relative to the page's own, so that it works below any prefix.
    private static let html = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Manta - API</title>
        <style>
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto;
          padding: 0 1rem; color: #1c2733; }
        section { border: 1px solid #c9d3dd; border-radius: 6px; padding: .5rem 1rem;
          margin: 1rem 0; }
        h2 { font-size: 1rem; } h2 b { display: inline-block; min-width: 3.5rem; }
        textarea { width: 100%; min-height: 5rem; font: 14px/1.4 ui-monospace, monospace; }
        pre { background: #f2f5f8; padding: .75rem; overflow: auto; white-space: pre-wrap; }
        button { font: inherit; padding: .25rem 1rem; }
        label { display: block; margin: 0 0 .5rem; } input { font: inherit; }
        </style>
        </head>
        <body>
        <h1>Manta</h1>
        <p>The routes of this gateway. The same as a document:
        <a href="openapi.json">openapi.json</a>.</p>
        <main id="routes"><p>Reading openapi.json ...</p></main>
        <script src="docs/app.js"></script>
        </body>
        </html>

        """

    private static let javaScript = """
        "use strict";
        const base = location.pathname.replace(/\\/docs$/, "");
        const examples = {
          "/predict": '{"features": [[0.1, 0.2]]}',
          "/model/load": "{}",
          "/serve": '{"action": "status"}',
          "/invocations": '{"dataframe_split": {"columns": ["x"], "data": [[0.1]]}}',
          "/v1/models/{model}:predict": '{"instances": [[0.1, 0.2]]}',
          "/v2/models/{model}/infer": '{"inputs": [{"name": "rows", "shape": [1, 2], ' +
            '"datatype": "FP32", "data": [0.1, 0.2]}]}'
        };
        examples["/v2/models/{model}/versions/{version}/infer"] =
          examples["/v2/models/{model}/infer"];

        function element(name, text, parent) {
          const made = document.createElement(name);
          if (text) made.textContent = text;
          parent.append(made);
          return made;
        }

        async function send(method, path, body, output) {
          const options = { method, headers: { "X-Manta-Request": "docs" } };
          if (method === "POST") {
            options.headers["Content-Type"] = "application/json";
            options.body = body;
          }
          try {
            const reply = await fetch(base + path, options);
            const text = await reply.text();
            let shown = text;
            try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { }
            output.textContent = reply.status + " " + reply.statusText + "\\n" + shown;
          } catch (error) {
            output.textContent = String(error);
          }
        }

        function show(path, method, operation, parent) {
          const section = element("section", "", parent);
          const title = element("h2", "", section);
          element("b", method.toUpperCase(), title);
          title.append(" " + path + " - " + operation.summary);
          const places = (operation.parameters || []).map((parameter) => {
            const label = element("label", parameter.name + " ", section);
            const input = element("input", "", label);
            return { text: "{" + parameter.name + "}", input };
          });
          let area = null;
          if (method === "post") {
            area = element("textarea", "", section);
            area.value = examples[path] || "{}";
          }
          const button = element("button", "Send", section);
          const output = element("pre", "", section);
          output.hidden = true;
          button.addEventListener("click", () => {
            output.hidden = false;
            const filled = places.reduce(
              (text, place) => text.replace(place.text, encodeURIComponent(place.input.value)),
              path);
            send(method.toUpperCase(), filled, area ? area.value : null, output);
          });
        }

        async function start() {
          const routes = document.getElementById("routes");
          const reply = await fetch(base + "/openapi.json");
          const document_ = await reply.json();
          routes.textContent = "";
          for (const [path, methods] of Object.entries(document_.paths)) {
            for (const [method, operation] of Object.entries(methods)) {
              show(path, method, operation, routes);
            }
          }
        }

        start();

        """
}
