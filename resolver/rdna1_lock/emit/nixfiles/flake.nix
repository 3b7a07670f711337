# Written by rdna1-lock. Fixed text: all data stands in pylock.toml beside it.
{
  description = "A locked PyTorch environment for AMD RDNA1 cards";

  # The last release with python310 and a glibc before 2.41 that Nix older than 2.18 evaluates.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";

  outputs = { self, nixpkgs }:
    let
      system = "x86_64-linux";
      locked = import ./env.nix {
        pkgs = nixpkgs.legacyPackages.${system};
        lock = builtins.fromTOML (builtins.readFile ./pylock.toml);
      };
    in
    {
      packages.${system} = {
        default = locked.env;
        inherit (locked) env wheelhouse;
      };
      devShells.${system}.default = locked.shell;
      apps.${system}.default = {
        type = "app";
        program = "${locked.run}/bin/python";
      };
      checks.${system}.installed = locked.check;
    };
}
