// The door through which JupyterLab loads this extension. It expects a webpack "module federation"
// container under the package's name; these few lines are one, so no build tool is needed.
// Set-up copies this folder and plotly.js-dist's plotly.js (beside this file) into
// share/jupyter/labextensions/breakhis-lab-plotly of the virtual environment.
(() => {
  const here = document.currentScript.src;
  let sharedScope = {};

  /** JupyterLab's own copy of a library: a Lumino widget of another copy would not fit into its layout. */
  async function sharedLibrary(name) {
    const [version] = Object.values(sharedScope[name] ?? {});
    if (version === undefined) throw new Error(`JupyterLab does not share ${name} with its extensions.`);
    return (await version.get())();
  }

  async function loadMimeExtension() {
    const { createMimeExtension } = await import(new URL("figure-widget.js", here).href);
    const { watchTables } = await import(new URL("sortable-tables.js", here).href);
    watchTables(document);
    const { Widget } = await sharedLibrary("@lumino/widgets");
    return createMimeExtension(Widget, new URL("plotly.js", here).href);
  }

  async function loadExtension() {
    const { createReopenedCells } = await import(new URL("reopened-cells.js", here).href);
    const { INotebookTracker } = await sharedLibrary("@jupyterlab/notebook");
    const { JSONExt } = await sharedLibrary("@lumino/coreutils");
    return createReopenedCells(INotebookTracker, JSONExt.deepEqual);
  }

  const loaders = { "./extension": loadExtension, "./mimeExtension": loadMimeExtension };

  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB["breakhis-lab-plotly"] = {
    init(scope) {
      sharedScope = scope;
    },
    async get(module) {
      const load = loaders[module];
      if (load === undefined) throw new Error(`breakhis-lab-plotly has no module ${module}.`);
      const extension = await load();
      return () => ({ __esModule: true, default: extension });
    },
  };
})();
