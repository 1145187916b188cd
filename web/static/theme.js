// Runs before the first paint, so that a chosen theme never flashes.
{
  const root = document.documentElement;
  root.classList.add("js");
  const saved = localStorage.getItem("theme");
  if (saved === "light" || saved === "dark") root.dataset.theme = saved;
}
