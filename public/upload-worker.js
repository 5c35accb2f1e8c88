// The engine's worker, shared by all tabs where browsers have such workers. Its address
// names the bundle and the WASM; pages send it the ports that it shall serve.
const ports = [];
let serve = (port) => ports.push(port);
if ('onconnect' in self) self.onconnect = ({ ports: [port] }) => serve(port);
else self.onmessage = ({ data: port }) => serve(port);

const asked = new URLSearchParams(self.location.search);
const own = (name) => {
  const url = new URL(asked.get(name), self.location.origin);
  if (url.origin !== self.location.origin) throw new Error(`${name} is of another site`);
  return url.href;
};
try {
  const bundle = await import(own('bundle'));
  await bundle.default({ module_or_path: own('wasm') });
  serve = bundle.upload_worker;
} catch (error) {
  console.error(error);
  // Nobody is at home: the page looks for another place.
  serve = (port) => port.postMessage(null);
}
ports.forEach(serve);
