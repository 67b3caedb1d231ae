// While somebody types into one of the live rows they are not replaced; what was missed is fetched afterwards.
(() => {
  let missed = false;
  const rows = () => document.getElementById("rows");
  const typing = (element) => element && element.tagName === "INPUT" && rows() && rows().contains(element);
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target === rows() && typing(document.activeElement)) {
      missed = true;
      event.preventDefault();
    }
  });
  document.addEventListener("focusout", (event) => {
    if (missed && !typing(event.relatedTarget) && !(event.relatedTarget && event.relatedTarget.closest("form"))) {
      missed = false;
      htmx.trigger(rows(), "sse:changed");
    }
  });
})();
