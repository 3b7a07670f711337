# What $stdenv/setup is to `nix build` and `nix develop`: it sets PATH and knows genericBuild.
PATH=$HOST_PATH
for input in ${nativeBuildInputs:-}; do
  if [ -d "$input/bin" ]; then PATH=$input/bin:$PATH; fi
done
export PATH
runHook() { if [ -n "${!1:-}" ]; then eval "${!1}"; fi; }
genericBuild() { if [ -n "${buildCommandPath:-}" ]; then source "$buildCommandPath"; else eval "${buildCommand:-}"; fi; }
