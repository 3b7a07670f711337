# Written by rdna1-lock: the shell of flake.nix for `nix-shell`, from the same pin.
{ pkgs ? null }:
let
  pin = (builtins.fromJSON (builtins.readFile ./flake.lock)).nodes.nixpkgs.locked;
  nixpkgs = builtins.fetchTarball {
    url = "https://github.com/${pin.owner}/${pin.repo}/archive/${pin.rev}.tar.gz";
    sha256 = pin.narHash;
  };
in
(import ./env.nix {
  pkgs = if pkgs != null then pkgs else import nixpkgs { system = "x86_64-linux"; config = { }; overlays = [ ]; };
  lock = builtins.fromTOML (builtins.readFile ./pylock.toml);
}).shell
