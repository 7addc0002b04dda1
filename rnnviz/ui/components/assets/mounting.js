// How Streamlit meets a view of ours: it calls what a module exports at each update, on the same
// parent element, and what that gives back when an update is overtaken or the view leaves the page.

const END = 1000; // after which a view that has left the page is at its end [ms]

// make: a parent element -> a view with receive(data, component) and close().
// component is Streamlit's argument, whose setStateValue and setTriggerValue report to Python.
export function mounted(make) {
  const views = new WeakMap(); // parent element -> view
  return (component) => {
    const { data, parentElement } = component;
    if (!views.has(parentElement)) views.set(parentElement, make(parentElement));
    const view = views.get(parentElement);
    view.receive(data, component);
    // An overtaken call is cleaned up as well: only a view that has left the page is at its end.
    return () =>
      setTimeout(() => {
        if (parentElement.isConnected || views.get(parentElement) !== view) return;
        views.delete(parentElement);
        view.close();
      }, END);
  };
}
