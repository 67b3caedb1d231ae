// Says which zone the browser has, so that the next page is told in it. Somebody's own setting goes before it.
document.cookie = "uptier-zone=" + encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone || "") +
  "; path=/; samesite=strict; max-age=31536000";
