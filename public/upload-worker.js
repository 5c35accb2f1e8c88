// Starts the engine in this worker. The page posts the bundle's URL, the compiled
// module, and the port that the engine shall listen on.
self.onmessage = async ({ data: [url, module, port] }) => {
  const bundle = await import(url);
  bundle.initSync({ module });
  bundle.upload_worker(port);
};
