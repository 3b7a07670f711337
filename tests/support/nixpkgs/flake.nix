{
  description = "Stand-in for nixpkgs: what the lock's flake asks of it, from programs of this machine";
  outputs = { self }: {
    lib = import ./lib.nix;
    legacyPackages.x86_64-linux = import ./. { };
  };
}
