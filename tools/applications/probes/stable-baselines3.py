from _probe import step


@step("PPO, 64 steps of CartPole")
def _():
    from stable_baselines3 import PPO

    PPO("MlpPolicy", "CartPole-v1", n_steps=32, batch_size=32, device="cpu").learn(64)
