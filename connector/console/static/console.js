// The list of what is escalated: keys, dialogs, and a selection that outlives what changes by itself. Without this
// script the same form acts. Nothing else on the pages needs one.
(() => {
  let missed = false;
  let here = "";
  const $ = (id) => document.getElementById(id);
  const rows = () => $("rows");
  const all = () => [...document.querySelectorAll("#orders tbody tr")];
  const boxes = () => [...document.querySelectorAll("#orders td.pick input")];
  const typing = (element) =>
    element && element.matches("input:not([type=checkbox]), select, textarea") && rows() && rows().contains(element);
  const opened = () => document.querySelector("#rows details[open]") || document.querySelector("dialog[open]");

  // While somebody types, chooses or answers, the rows are not replaced; what was missed is fetched afterwards.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target === rows() && (typing(document.activeElement) || opened())) {
      missed = true;
      event.preventDefault();
    }
  });
  const catchUp = () => {
    if (missed && rows() && !typing(document.activeElement) && !opened()) {
      missed = false;
      htmx.trigger(rows(), "sse:changed");
    }
  };
  document.addEventListener("focusout", () => setTimeout(catchUp));
  document.addEventListener("toggle", () => setTimeout(catchUp), true);

  // The selection, and where the keyboard stands, live on when the rows are replaced.
  let kept = new Set();
  document.addEventListener("htmx:beforeSwap", (event) => {
    const mine = event.detail.requestConfig && event.detail.requestConfig.verb === "post";
    kept = mine ? new Set() : new Set(boxes().filter((box) => box.checked).map((box) => box.id));
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const box of boxes()) box.checked = kept.has(box.id);
    dress();
  });
  const dress = () => {
    for (const each of document.querySelectorAll(".scripted")) each.hidden = false;
    for (const each of document.querySelectorAll("#orders .ask")) each.hidden = true;
    for (const row of all()) row.classList.toggle("here", row.id === here);
    count();
  };
  const count = () => {
    const many = boxes().filter((box) => box.checked).length;
    const said = $("chosen") && (many ? `${$("chosen").dataset.some}: ${many}` : $("chosen").dataset.none);
    if (said && $("chosen").textContent !== said) $("chosen").textContent = said;
  };
  document.addEventListener("change", (event) => {
    if (event.target.closest("td.pick")) count();
  });
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("#orders tbody tr");
    if (row) {
      here = row.id;
      for (const each of all()) each.classList.toggle("here", each === row);
    }
  });

  // An order asks first for what it needs, and with nothing selected is for the ticket one stands on.
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close("");
    if (event.target.closest("#keys")) $("help").showModal();
    const button = event.target.closest("#orders .bar button[name=verb]");
    if (!button) return;
    if (!boxes().some((box) => box.checked)) {
      const box = $(here.replace("r:", "x:"));
      if (!box) {
        event.preventDefault();
        event.stopPropagation();
        $("chosen").textContent = $("chosen").dataset.first;
        return;
      }
      box.checked = true;
      count();
    }
    if (!button.dataset.asks || button.dataset.answered) return;
    event.preventDefault();
    event.stopPropagation();
    const dialog = $("why");
    const [reason, span] = [dialog.querySelector("[name=reason]"), dialog.querySelector("[name=for]")];
    const long = button.dataset.asks === "for";
    dialog.querySelector("[data-for]").hidden = !long;
    span.disabled = !long;
    reason.required = button.value !== "release";
    $("why-title").textContent = `${button.firstChild.textContent.trim()} (${$("chosen").textContent})`;
    reason.value = "";
    dialog.returnValue = "";
    dialog.onclose = () => {
      if (dialog.returnValue !== "yes") return button.focus();
      $("a:reason").value = reason.value;
      $("a:for").value = span.value;
      button.dataset.answered = "yes";
      button.click();
      delete button.dataset.answered;
    };
    dialog.showModal();
    reason.focus();
  }, true);

  const silent = () => { try { return localStorage.getItem("no-keys") === "yes"; } catch { return false; } };
  document.addEventListener("change", (event) => {
    if (event.target.id === "no-keys") try { localStorage.setItem("no-keys", event.target.checked ? "yes" : ""); } catch { /* not kept */ }
  });
  const step = (by) => {
    const found = all();
    const at = found.findIndex((row) => row.id === here);
    const row = found[at < 0 ? (by > 0 ? 0 : found.length - 1) : Math.min(Math.max(at + by, 0), found.length - 1)];
    if (row) {
      row.querySelector("a").focus();
      row.scrollIntoView({ block: "nearest" });
    }
  };
  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (!rows() || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (at.matches("input:not([type=checkbox]), select, textarea")) return;
    if (event.key === "?") {
      $("no-keys").checked = silent();
      $("help").showModal();
    } else if (silent()) return;
    else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
    else if (event.key === "x") {
      const box = $(here.replace("r:", "x:"));
      if (box) box.click();
    } else if (event.key === "/" && $("q")) $("q").focus();
    else {
      const button = document.querySelector(`#orders .bar button[data-key="${CSS.escape(event.key)}"]`);
      if (!button) return;
      button.click();
    }
    event.preventDefault();
  });
  dress();
})();
